"""The office's OpenAPI document: the contract, completed with what FastAPI cannot see.

FastAPI writes paths, parameters and bodies. Added here: every status that is answered, with the codes of its
`Problem`; that a clerk's session stands beside the device's token, not in place of it; that every moment has
its offset; the headers of the calls that speak tus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from clerk_app.sync.protocol import Problem

_ABOUT = """\
What a schema cannot say, what is promised and what to do after each refusal: `docs/protocol.md`.
`back-office conformance --url URL` runs those promises against any implementation.

A device proves itself with `Authorization: Bearer`, a clerk with `X-Clerk-Session` beside it. Every refusal
is a `Problem`; its details quote nothing that was sent. Fields a request has beyond these are passed over;
a client does the same with those it does not know in answers.
"""

_TAGS = {
    "": ("standing", "Whether the office is there, and what time it has."),
    "enrol": ("identity", "Workstations and clerks prove who they are."),
    "sync": ("exchange", "Commands up, facts down, parked waits."),
    "catalogue": ("catalogue", "One immutable file a version."),
    "blocks": ("numbers", "Case numbers leased to a device."),
    "queues": ("queue", "What needs the authority's answer at once."),
    "uploads": ("uploads", "Scanned pages, resumable: tus 1.0.0."),
}
_SAME = {"device": "enrol", "recover": "enrol", "session": "enrol", "time": "", "health": ""}

_OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2})$"

_PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_RETRY = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: _RETRY,
    503: _RETRY,
    507: _RETRY,
}

_TUS = ("Tus-Resumable", {"type": "string", "const": "1.0.0"}, "The version of tus.")
_LENGTH = (
    "Upload-Length",
    {"type": "integer", "minimum": 1, "maximum": 10**15 - 1},
    "Bytes of the whole page.",
)
_METADATA = (
    "Upload-Metadata",
    {"type": "string"},
    "tus metadata, values in base64: id, case_id, material, page (from 1), sha256 (hex, of the page).",
)
_TUS_HEADERS = {
    ("post", "/v1/uploads"): (_TUS, _LENGTH, _METADATA),
    ("head", "/v1/uploads/{upload_id}"): (_TUS,),
    ("patch", "/v1/uploads/{upload_id}"): (
        _TUS,
        ("Upload-Offset", {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}, "Bytes the office has."),
    ),
    ("post", "/v1/uploads/{upload_id}"): (
        _TUS,
        ("X-HTTP-Method-Override", {"type": "string", "enum": ["PATCH", "HEAD"]}, "The call it stands for."),
    ),
}
_PATCHED = {
    400: "OFFICE-MALFORMED",
    404: "OFFICE-NO-UPLOAD",
    409: "OFFICE-OFFSET",
    412: "OFFICE-TUS",
    413: "OFFICE-TOO-LARGE",
    415: "OFFICE-MALFORMED",
    422: "OFFICE-PAGE-DIGEST",
    460: "OFFICE-CHECKSUM",
    507: "OFFICE-DISK-FULL",
}
_TUS_REFUSALS = {
    ("post", "/v1/uploads"): {
        409: "OFFICE-NO-CASE",
        412: "OFFICE-TUS",
        413: "OFFICE-TOO-LARGE",
        422: "OFFICE-REQUEST-REUSED",
        507: "OFFICE-DISK-FULL",
    },
    ("head", "/v1/uploads/{upload_id}"): {404: "OFFICE-NO-UPLOAD", 412: "OFFICE-TUS"},
    ("patch", "/v1/uploads/{upload_id}"): _PATCHED,
    ("post", "/v1/uploads/{upload_id}"): _PATCHED | {405: "OFFICE-NO-PATH"},
}
_CHECKSUM = {
    "name": "Upload-Checksum",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^sha256 [A-Za-z0-9+/]+=*$"},
    "description": "`sha256` and base64 of the digest of the chunk.",
    "example": "sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
}
_CHUNK = {
    "required": True,
    "content": {"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


def refusals(codes: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """For the `responses` of a route: what it refuses beyond what every such route does, status and codes."""
    return {status: {"model": Problem, "description": text} for status, text in codes.items()}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once an application."""
    if not app.openapi_schema:
        app.openapi_schema = _described(app)
    return app.openapi_schema


def _described(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=_ABOUT, routes=app.routes, openapi_version="3.1.0"
    )
    document["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    document["tags"] = [{"name": name, "description": text} for name, text in _TAGS.values()]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(path, method, operation)
    schemas = document["components"]["schemas"]
    for needless in ("HTTPValidationError", "ValidationError"):
        schemas.pop(needless, None)
    schemas["PushRequest"] = schemas.pop("PushEnvelope") | {"title": "PushRequest"}
    for part in _parts(document):
        if part.get("$ref") == "#/components/schemas/PushEnvelope":
            part["$ref"] = "#/components/schemas/PushRequest"
        for limit in ("minimum", "maximum"):
            if isinstance(part.get(limit), float):  # as the framework writes whole numbers
                part[limit] = int(part[limit])
        if part.get("format") == "date-time":
            part["pattern"] = _OFFSET
        if "properties" in part or part.get("type") in ("integer", "string", "number", "boolean", "array"):
            part.pop("title", None)  # the name of the field once more
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _parts(one)


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    segment = path.removeprefix("/v1").split("/")[1]
    operation["tags"] = [_TAGS[_SAME.get(segment, segment)][0]]
    first, _, rest = " ".join(operation.pop("description", "").split()).partition(". ")
    operation["summary"] = first.rstrip(".")
    if rest:
        operation["description"] = rest
    for name, schema, text in _TUS_HEADERS.get((method, path), ()):
        told = {"name": name, "in": "header", "required": True, "schema": schema, "description": text}
        operation.setdefault("parameters", []).append(told)
    for status, codes in _TUS_REFUSALS.get((method, path), {}).items():
        operation["responses"][str(status)] = {"description": codes, "content": _PROBLEM}
    if operation["operationId"] == "instead":
        operation["responses"]["204"] = {"description": "as PATCH answers"}
        operation["requestBody"] = _CHUNK | {"required": False}
    if method == "patch":
        operation["requestBody"] = _CHUNK
        operation["parameters"].append(_CHECKSUM)
    _join_security(operation)
    _complete_responses(path, method, operation)


def _join_security(operation: dict[str, Any]) -> None:
    """FastAPI lists two schemes as one or the other; a clerk's session is nothing without the device."""
    schemes = {name for one in operation.get("security", ()) for name in one}
    if schemes == {"device", "clerk"}:
        operation["security"] = [{"device": [], "clerk": []}]


def _complete_responses(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    usual: dict[int, str] = {500: "OFFICE-ERROR", 503: "OFFICE-BUSY"}
    if "security" in operation:
        clerk = "clerk" in operation["security"][0]
        usual |= {401: "OFFICE-DEVICE" + (", OFFICE-SESSION" if clerk else "")}
        usual |= {403: "OFFICE-REVOKED" + (", OFFICE-RIGHT" if clerk else ""), 423: "OFFICE-FENCED"}
    if "requestBody" in operation:
        usual |= {400: "OFFICE-MALFORMED", 413: "OFFICE-TOO-LARGE"}
    if "requestBody" in operation or operation.get("parameters"):
        usual |= {422: "OFFICE-MALFORMED"}
    if "{" in path:
        usual |= {404: "OFFICE-NO-PATH"}
    for span in ("4XX", "5XX"):
        responses.pop(span, None)
    for status, codes in usual.items():
        given = responses.get(str(status), {}).get("description", "")
        responses[str(status)] = {
            "description": ", ".join(filter(None, (codes, given if given.startswith("OFFICE-") else ""))),
            "content": _PROBLEM,
        }
    for status, headers in _HEADERS.items():
        if str(status) in responses:
            responses[str(status)]["headers"] = headers
    if method == "head":
        for response in responses.values():
            response.pop("content", None)
    operation["responses"] = dict(sorted(responses.items()))
