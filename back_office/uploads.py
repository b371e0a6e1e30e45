"""The calls of a resumable upload: tus 1.0.0 (https://tus.io/protocols/resumable-upload), with its extensions
`creation` and `checksum`. What a page is stands in `Upload-Metadata`; beginning it again is no error and
tells where it stands.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from back_office import pages, problems, resuming
from back_office.access import DeviceHere, OfficeHere
from back_office.document import refusals
from back_office.problems import Refused
from back_office.resuming import Told

T = TypeVar("T")

VERSION = "1.0.0"
CONTENT_TYPE = "application/offset+octet-stream"

TURNS = 8
"""Pages worked on at once in a process: the threads that are left answer commands."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CASE = re.compile(r"[0-9A-Za-z-]{1,64}")
_HEADERS = {"Tus-Resumable": VERSION, "Tus-Version": VERSION, "Cache-Control": "no-store"}


class TusRoute(APIRoute):
    """Says the version of tus with every answer, refusals included."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                answer: Response = await handle(request)
            except Refused as error:
                answer = problems.refusal(error)
            answer.headers.update(_HEADERS)
            return answer

        return told


router = APIRouter(prefix="/uploads", route_class=TusRoute)

_BEGINNING = refusals(
    {
        409: "OFFICE-NO-CASE",
        412: "OFFICE-TUS",
        413: "OFFICE-TOO-LARGE",
        422: "OFFICE-REQUEST-REUSED",
    }
)
_GOING_ON = refusals(
    {
        404: "OFFICE-NO-UPLOAD",
        409: "OFFICE-OFFSET",
        412: "OFFICE-TUS",
        415: "OFFICE-MALFORMED",
        422: "OFFICE-PAGE-DIGEST",
        460: "OFFICE-CHECKSUM",
        507: "OFFICE-DISK-FULL",
    }
)


def of_this_version(request: Request, _at: DeviceHere) -> None:
    """Raises Refused 412 for another version of tus."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Refused("OFFICE-TUS", status=412)


@router.options("", status_code=204, response_class=Response)
def upload_options(_at: DeviceHere) -> Response:
    """The version, the extensions and the largest page."""
    headers = {
        "Tus-Extension": "creation,checksum",
        "Tus-Checksum-Algorithm": "sha256",
        "Tus-Max-Size": str(pages.MAX_BYTES),
    }
    return Response(status_code=204, headers=headers)


@router.post(
    "",
    status_code=201,
    response_class=Response,
    dependencies=[Depends(of_this_version)],
    responses=_BEGINNING,
)
async def begin_page(request: Request, office: OfficeHere, at: DeviceHere) -> Response:
    """Begin the page that `Upload-Length` and `Upload-Metadata` tell of; the offset says what is here."""
    told = _told(request)
    have = await _in_turn(request, lambda: resuming.begin(office, at, told))
    headers = {"Location": f"/v1/uploads/{told.id}", "Upload-Offset": str(have)}
    return Response(status_code=201, headers=headers)


@router.head(
    "/{upload_id}",
    response_class=Response,
    dependencies=[Depends(of_this_version)],
    responses=refusals({404: "OFFICE-NO-UPLOAD", 412: "OFFICE-TUS"}),
)
def page_standing(upload_id: str, office: OfficeHere, at: DeviceHere) -> Response:
    """Where the page stands."""
    have, size = resuming.standing(office, at, upload_id)
    return Response(headers={"Upload-Offset": str(have), "Upload-Length": str(size)})


async def the_chunk(request: Request) -> bytes:
    """The bytes of a PATCH. Raises Refused 415, 400 for a digest of another kind, 460 for another digest."""
    if request.headers.get("Content-Type") != CONTENT_TYPE:
        raise Refused("OFFICE-MALFORMED", "Content-Type", status=415)
    try:
        chunk = await request.body()
    except ClientDisconnect:
        raise Refused("OFFICE-MALFORMED", "cut off") from None
    if (checksum := request.headers.get("Upload-Checksum")) is not None:
        kind, _, text = checksum.partition(" ")
        if kind != "sha256":
            raise Refused("OFFICE-MALFORMED", "Upload-Checksum")
        if text != base64.b64encode(hashlib.sha256(chunk).digest()).decode():
            raise Refused("OFFICE-CHECKSUM", status=460)
    return chunk


Chunk = Annotated[bytes, Depends(the_chunk)]


@router.patch(
    "/{upload_id}",
    status_code=204,
    response_class=Response,
    dependencies=[Depends(of_this_version)],
    responses=_GOING_ON,
)
async def go_on_with_page(
    request: Request, upload_id: str, office: OfficeHere, at: DeviceHere, chunk: Chunk
) -> Response:
    """Add bytes at `Upload-Offset`."""
    offset = _number(request, "Upload-Offset")
    have = await _in_turn(request, lambda: resuming.append(office, at, upload_id, offset, chunk))
    return Response(status_code=204, headers={"Upload-Offset": str(have)})


@router.post(
    "/{upload_id}",
    response_class=Response,
    dependencies=[Depends(of_this_version)],
    responses={204: {"description": "for PATCH"}, **_GOING_ON, **refusals({405: "OFFICE-NO-PATH"})},
)
async def page_by_override(request: Request, upload_id: str, office: OfficeHere, at: DeviceHere) -> Response:
    """`X-HTTP-Method-Override`, for networks that let neither PATCH nor HEAD through."""
    match request.headers.get("X-HTTP-Method-Override"):
        case "PATCH":
            return await go_on_with_page(request, upload_id, office, at, await the_chunk(request))
        case "HEAD":
            return await _in_turn(request, lambda: page_standing(upload_id, office, at))
    raise Refused("OFFICE-NO-PATH", status=405)


def turns() -> CapacityLimiter:
    """For the application, which its calls take from its state."""
    return CapacityLimiter(TURNS)


async def _in_turn(request: Request, work: Callable[[], T]) -> T:
    return await to_thread.run_sync(work, limiter=request.app.state.upload_turns)


def _told(request: Request) -> Told:
    """Raises Refused 422 for what does not say what a page is."""
    size = _number(request, "Upload-Length")
    try:
        found = _metadata(request.headers.get("Upload-Metadata", ""))
        told = Told(
            found["id"], found["case_id"], found["material"], int(found["page"]), size, found["sha256"]
        )
    except (KeyError, ValueError):
        raise Refused("OFFICE-MALFORMED", "Upload-Metadata", status=422) from None
    fits = (
        _CASE.fullmatch(told.case_id)
        and _SHA256.fullmatch(told.sha256)
        and 0 < len(told.material) <= 200
        and told.material.isprintable()
        and 0 < told.page < 10_000
        and told.size > 0
    )
    if not fits:
        raise Refused("OFFICE-MALFORMED", "Upload-Metadata", status=422)
    return told


def _metadata(text: str) -> dict[str, str]:
    """`key base64, key base64`. Raises ValueError."""
    pairs = [pair.strip().partition(" ") for pair in text.split(",")]
    return {key: base64.b64decode(value, validate=True).decode() for key, _, value in pairs}


def _number(request: Request, name: str) -> int:
    """Raises Refused 422 for no number, or one beyond reason."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Refused("OFFICE-MALFORMED", name, status=422)
    return int(text)
