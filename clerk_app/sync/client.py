"""The office's calls, one method a line of the protocol's table. Failures: see `transport`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote

from clerk_app.desk.ports import Attachment
from clerk_app.sync import protocol
from clerk_app.sync.transport import OfficeFailure, TimeOuts, Transport

PAGE = 1000
"""Changes asked for in one page of the feed."""

CARRY_READ = 120.0
"""Seconds the office may take over another workstation's outbox, which may be that of three days."""


class OfficeClient:
    """What one thread says to the office. `cut` and `close` may come from another thread."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        ca: Path | None = None,
        certificate: Path | None = None,
        time_outs: TimeOuts | None = None,
    ) -> None:
        self._transport = Transport(url, token=token, ca=ca, certificate=certificate, time_outs=time_outs)

    def watch(self, progress: Callable[[], None]) -> None:
        """From now on `progress` is called for each piece of an answer that arrives."""
        self._transport.progress = progress

    def enrol(self, request: protocol.EnrolRequest) -> protocol.EnrolAnswer:
        return self._transport.ask("POST", "/enrol", protocol.EnrolAnswer, body=request)

    def open_session(self, request: protocol.SessionRequest) -> protocol.SessionAnswer:
        return self._transport.ask("POST", "/session", protocol.SessionAnswer, body=request)

    def close_session(self, session: str) -> None:
        self._transport.ask("DELETE", "/session", type(None), headers=_clerk(session))

    def push(self, request: protocol.PushRequest) -> protocol.PushAnswer:
        return self._transport.ask("POST", "/sync/push", protocol.PushAnswer, body=request)

    def changes(self, scope: str, generation: str, since: int, limit: int = PAGE) -> protocol.ChangesAnswer:
        params: dict[str, str | int] = {
            "scope": scope,
            "since": since,
            "limit": limit,
            "generation": generation,
        }
        return self._transport.ask("GET", "/sync/changes", protocol.ChangesAnswer, params=params)

    def snapshot(self, scope: str) -> protocol.SnapshotAnswer:
        return self._transport.ask("GET", f"/sync/snapshot/{_part(scope)}", protocol.SnapshotAnswer)

    def wait(self, cursors: Mapping[str, int], seconds: int) -> protocol.WaitAnswer:
        """Blocks until a scope has news beyond its cursor, `seconds` at most."""
        scopes = ",".join(f"{scope}:{seq}" for scope, seq in cursors.items())
        params: dict[str, str | int] = {"scopes": scopes, "seconds": seconds}
        return self._transport.ask(
            "GET", "/sync/wait", protocol.WaitAnswer, params=params, read=seconds + TimeOuts().read
        )

    def digest(self, scope: str) -> protocol.DigestAnswer:
        return self._transport.ask("GET", f"/sync/digest/{_part(scope)}", protocol.DigestAnswer)

    def device(self) -> protocol.DeviceAnswer:
        return self._transport.ask("GET", "/device", protocol.DeviceAnswer)

    def block(self, request: protocol.BlockRequest) -> protocol.BlockAnswer:
        return self._transport.ask("POST", "/blocks", protocol.BlockAnswer, body=request)

    def call(self, queue: str, request: protocol.CallRequest, session: str) -> protocol.CallAnswer:
        path = f"/queues/{_part(queue)}/call"
        return self._transport.ask("POST", path, protocol.CallAnswer, body=request, headers=_clerk(session))

    def recall(self, queue: str, request: protocol.RecallRequest, session: str) -> protocol.CallAnswer:
        path = f"/queues/{_part(queue)}/recall"
        return self._transport.ask("POST", path, protocol.CallAnswer, body=request, headers=_clerk(session))

    def series(self, queue: str) -> protocol.SeriesAnswer:
        return self._transport.ask("GET", f"/queues/{_part(queue)}/series", protocol.SeriesAnswer)

    def issue(self, queue: str, request: protocol.IssueRequest, session: str) -> protocol.TicketMessage:
        path = f"/queues/{_part(queue)}/tickets"
        return self._transport.ask(
            "POST", path, protocol.TicketMessage, body=request, headers=_clerk(session)
        )

    def void_ticket(
        self, queue: str, ticket: str, request: protocol.VoidTicketRequest, session: str
    ) -> protocol.TicketMessage:
        path = f"/queues/{_part(queue)}/tickets/{_part(ticket)}/void"
        return self._transport.ask(
            "POST", path, protocol.TicketMessage, body=request, headers=_clerk(session)
        )

    def recover(self, request: protocol.RecoverRequest) -> protocol.RecoverAnswer:
        return self._transport.ask("POST", "/recover", protocol.RecoverAnswer, body=request)

    def carry(self, request: protocol.CarryRequest) -> protocol.CarryAnswer:
        return self._transport.ask("POST", "/sync/carry", protocol.CarryAnswer, body=request, read=CARRY_READ)

    def begin_page(self, page: Attachment) -> int:
        """Announce a page, as often as wanted: the bytes of it that the office has."""
        told = {
            "id": page.id,
            "case_id": page.case_id,
            "material": page.material,
            "page": str(page.page),
            "sha256": page.sha256,
        }
        metadata = ",".join(f"{key} {_base64(value.encode())}" for key, value in told.items())
        headers = {"Upload-Length": str(page.size), "Upload-Metadata": metadata}
        return _offset(self._transport.send("POST", "/uploads", headers=headers), page.size)

    def send_piece(self, page: Attachment, offset: int, piece: bytes) -> int:
        """Add bytes at `offset`: the bytes that the office has then."""
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {_base64(hashlib.sha256(piece).digest())}",
        }
        path = f"/uploads/{_part(page.id)}"
        told = self._transport.send("PATCH", path, headers=headers, data=piece)
        if (have := _offset(told, page.size)) != offset + len(piece):
            raise OfficeFailure("SYNC-NOT-OFFICE", f"/uploads: {have} instead of {offset + len(piece)}")
        return have

    def time(self) -> protocol.TimeAnswer:
        return self._transport.ask("GET", "/time", protocol.TimeAnswer)

    def catalogue(self) -> protocol.CatalogueInfo:
        return self._transport.ask("GET", "/catalogue", protocol.CatalogueInfo)

    def catalogue_file(
        self, version: str, offset: int
    ) -> AbstractContextManager[tuple[bool, Iterator[bytes]]]:
        return self._transport.download(f"/catalogue/{_part(version)}", offset)

    def cut(self) -> None:
        self._transport.cut()

    def close(self) -> None:
        self._transport.close()


def scopes_of(device_id: str, queue: str, hall_code: str) -> Sequence[str]:
    """The scopes of the feed a window follows, its own answers first."""
    return (f"device:{device_id}", f"queue:{queue}", f"hall:{hall_code}", "catalogue", protocol.LOST_CARDS)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _offset(told: Mapping[str, str], size: int) -> int:
    text = told.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) <= size):
        raise OfficeFailure("SYNC-NOT-OFFICE", "/uploads: no offset")
    return int(text)


def _part(text: str) -> str:
    return quote(text, safe=":")


def _clerk(session: str) -> dict[str, str]:
    return {protocol.CLERK_SESSION_HEADER: session} if session else {}
