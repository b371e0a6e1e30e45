"""One HTTP conversation with the office: send, check that it is the office that answers, decode strictly.

Whatever goes wrong comes out as one of these failures:

| what happened                                              | failure         |
|------------------------------------------------------------|-----------------|
| no connection, or it broke                                 | SYNC-OFFLINE    |
| connected, no answer in time                               | SYNC-SLOW       |
| certificate expired, unknown or of somebody else           | SYNC-TLS        |
| HTML, a redirect, another schema: a captive portal answers | SYNC-NOT-OFFICE |
| 5xx, 429                                                   | SYNC-BUSY       |
| 401, 403                                                   | SYNC-RIGHTS     |
| 409 with the sequence number it expects                    | SYNC-GAP        |
| 410                                                        | SYNC-RESYNC     |
| 423                                                        | SYNC-FENCED     |
| a call the office does not have: it is an older one        | SYNC-NO-CALL    |
| any call of a workstation whose enrolment was taken back   | SYNC-REVOKED    |
| any other refusal                                          | SYNC-REJECTED   |
"""

from __future__ import annotations

import email.utils
import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import requests
import urllib3.exceptions

from clerk_app.failures import Failure
from clerk_app.sync.protocol import Problem
from clerk_app.sync.wire import CuttableAdapter, Lines

T = TypeVar("T")

CHUNK = 64 * 1024
LONGEST_WAIT = 3600.0
TUS = "1.0.0"
"""Version of the resumable upload."""
_JSON = "application/json"
_REFUSALS = {401: "SYNC-RIGHTS", 403: "SYNC-RIGHTS", 410: "SYNC-RESYNC", 423: "SYNC-FENCED"}
_BY_PROBLEM = {"OFFICE-REVOKED": "SYNC-REVOKED", "OFFICE-NO-PATH": "SYNC-NO-CALL"}
_BUSY = frozenset({429, 500, 502, 503, 504, 507})


@dataclass(frozen=True, slots=True)
class TimeOuts:
    """Seconds to connect, and between two bytes of an answer."""

    connect: float = 3.05
    read: float = 15.0


class OfficeFailure(Failure):
    """A failure with what the office said of it: the problem, and how long it asks to be left alone."""

    def __init__(
        self, code: str, detail: str = "", *, problem: Problem | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(code, detail)
        self.problem = problem
        self.retry_after = retry_after


class Transport:
    """A session with one office. For one thread at a time; `cut` alone may come from another.

    Proxies, certificates and passwords of the environment are ignored: what the settings say is all there
    is (a stray .netrc would replace the device's token).
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        ca: Path | None = None,
        certificate: Path | None = None,
        time_outs: TimeOuts | None = None,
    ) -> None:
        self._base = url.rstrip("/") + "/v1"
        self._time_outs = time_outs or TimeOuts()
        self._lines = Lines()
        self.progress: Callable[[], None] = _nobody
        """Called for each piece of an answer that arrives; what it raises ends the exchange."""
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca) if ca else True
        self._session.cert = str(certificate) if certificate else None
        self._files = [file for file in (ca, certificate) if file is not None]
        adapter = CuttableAdapter(self._lines)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        body: object = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        read: float | None = None,
    ) -> T:
        """The decoded answer of one call; `read` replaces the seconds to wait for it."""
        with self._exchange(method, path, body=body, params=params, headers=headers, read=read) as response:
            content = self._content(response)
        if not response.ok:
            raise _refusal(response, content, path)
        return _decode(response, content, answer, path)

    def _content(self, response: requests.Response) -> bytes:
        """All of it, however long it takes on a thin line as long as it goes on."""
        pieces = []
        for piece in response.iter_content(CHUNK):
            pieces.append(piece)
            self.progress()
        return b"".join(pieces)

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str], data: bytes = b""
    ) -> Mapping[str, str]:
        """Send bytes as they are; what is answered in the headers. Whether the office answered, they tell."""
        told = {"Tus-Resumable": TUS} | dict(headers)
        with self._exchange(method, path, data=data, headers=told) as response:
            content = self._content(response)
        if not response.ok:
            raise _refusal(response, content, path)
        return response.headers

    @contextmanager
    def download(self, path: str, offset: int) -> Iterator[tuple[bool, Iterator[bytes]]]:
        """(whether the bytes start at `offset`, the bytes): an office that ignores ranges starts at 0."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        with self._exchange("GET", path, headers=headers) as response:
            if not response.ok:
                raise _refusal(response, response.content, path)
            if "html" in _content_type(response):
                raise OfficeFailure("SYNC-NOT-OFFICE", f"{path}: a page instead of a file")
            yield response.status_code == 206 or offset == 0, _arriving(response)

    def cut(self) -> None:
        """End what is under way; every later call fails with SYNC-OFFLINE."""
        self._lines.cut()

    def close(self) -> None:
        self.cut()
        self._session.close()

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        data: bytes | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        read: float | None = None,
    ) -> Iterator[requests.Response]:
        if not all(file.is_file() for file in self._files):
            raise OfficeFailure("SYNC-TLS", f"{path}: a certificate file is missing")
        time_out = (self._time_outs.connect, read or self._time_outs.read)
        sent = {"Accept": _JSON} | dict(headers or {})
        if body is not None:
            sent["Content-Type"] = _JSON
            data = msgspec.json.encode(body)
        try:
            with self._session.request(
                method,
                self._base + path,
                data=data,
                params=params,
                headers=sent,
                timeout=time_out,
                allow_redirects=False,
                stream=True,
            ) as response:
                yield response
        except (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            raise _broken(error, path) from error


def _nobody() -> None:
    """Nobody watches the progress."""


def _arriving(response: requests.Response) -> Iterator[bytes]:
    """The bytes as they come: `iter_content` drops the last piece, not full, when the line breaks."""
    while chunk := response.raw.read1(CHUNK):
        yield chunk


def _broken(error: Exception, path: str) -> OfficeFailure:
    """What a broken exchange means. The detail names the kind of error only: messages may quote bodies."""
    detail = f"{path}: {type(error).__name__}"
    if isinstance(error, requests.exceptions.SSLError):
        return OfficeFailure("SYNC-TLS", detail)
    causes = [error, *error.args, *(arg for cause in error.args for arg in getattr(cause, "args", ()))]
    if isinstance(error, requests.ReadTimeout) or _any(causes, urllib3.exceptions.ReadTimeoutError):
        return OfficeFailure("SYNC-SLOW", detail)
    garbled = [cause for cause in causes if isinstance(cause, http.client.HTTPException)]
    broke_off = (http.client.RemoteDisconnected, http.client.IncompleteRead)
    if isinstance(error, requests.exceptions.ContentDecodingError) or (
        garbled and not _any(garbled, broke_off)
    ):
        return OfficeFailure("SYNC-NOT-OFFICE", detail)
    return OfficeFailure("SYNC-OFFLINE", detail)


def _any(causes: list[Any], kind: type | tuple[type, ...]) -> bool:
    return any(isinstance(cause, kind) for cause in causes)


def _content_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _decode(response: requests.Response, content: bytes, answer: type[T], path: str) -> T:
    if response.status_code == 204 and answer is type(None):
        return answer()
    # A redirect is "ok" to requests but no answer of ours.
    if response.status_code >= 300 or _content_type(response) != _JSON:
        raise OfficeFailure("SYNC-NOT-OFFICE", f"{path}: {response.status_code} {_content_type(response)}")
    try:
        return msgspec.json.decode(content, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OfficeFailure("SYNC-NOT-OFFICE", f"{path}: another schema") from error


def _refusal(response: requests.Response, content: bytes, path: str) -> OfficeFailure:
    status = response.status_code
    if status in _BUSY:  # a gateway in front of the office may say so in HTML
        return OfficeFailure("SYNC-BUSY", f"{path}: {status}", retry_after=_retry_after(response))
    problem = _problem(response, content)
    if problem is None:
        return OfficeFailure("SYNC-NOT-OFFICE", f"{path}: {status} {_content_type(response)}")
    gap = status == 409 and problem.expected_seq is not None
    code = _BY_PROBLEM.get(problem.code) or _REFUSALS.get(status, "SYNC-REJECTED")
    code = "SYNC-GAP" if gap else code
    return OfficeFailure(code, f"{path}: {status} {problem.code}", problem=problem)


def _problem(response: requests.Response, content: bytes) -> Problem | None:
    if _content_type(response) not in (_JSON, "application/problem+json"):
        return None
    try:
        return msgspec.json.decode(content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _retry_after(response: requests.Response) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3); None when absent or unreadable.

    An hour at most: a clock that is wrong, or a gateway's nonsense, must not silence a window for a day.
    """
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), LONGEST_WAIT) if at.tzinfo else None
