"""Every refusal is a `Problem`: a code the clerk can read out, a detail for IT, never personal data."""

from __future__ import annotations

import re
from dataclasses import asdict

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, InterfaceError, OperationalError, TimeoutError
from starlette.exceptions import HTTPException

from back_office import logs
from back_office.document import describe
from clerk_app.failures import Failure
from clerk_app.sync.protocol import Problem

_HTTP_CODES = {404: "OFFICE-NO-PATH", 405: "OFFICE-NO-PATH", 413: "OFFICE-TOO-LARGE"}


class Refused(Failure):
    """The office says no. `status` is the HTTP status when the whole request is refused.

    Raised while one command of a push is applied, it refuses that command alone.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int = 400,
        expected_seq: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.status = status
        self.expected_seq = expected_seq
        self.retry_after = retry_after  # seconds


class NotYet(Failure):
    """The office cannot say yes or no before its own house is in order; the command is held.

    Raised while one command is applied. `code` is what the window is told meanwhile.
    """


def malformed(places: list[tuple[int | str, ...]]) -> Refused:
    """The message does not fit its description. Names the places, never what stood there."""
    listed = ", ".join(".".join(map(str, place)) for place in places[:5])
    return Refused("OFFICE-MALFORMED", listed, status=422)


def answer(problem: Problem, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(asdict(problem), status, headers)


def bug(error: Exception) -> JSONResponse:
    """A failure of ours; its message may quote data, so neither the caller nor the log is told more of it."""
    logs.error("request", error)
    return answer(Problem("OFFICE-ERROR", type(error).__name__), 500)


def refusal(error: Refused) -> JSONResponse:
    problem = Problem(error.code, error.detail, error.expected_seq)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return answer(problem, error.status, headers)


def _allowed(request: Request) -> str:
    """The methods of a path. Each is a route of its own, and the framework tells those of one."""
    for path, methods in describe(request.app)["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), request.url.path):
            return ", ".join(sorted(method.upper() for method in methods))
    return ""


def install(app: FastAPI) -> None:
    """Make every error of `app` a `Problem` body."""

    @app.exception_handler(Refused)
    def _refused(_request: Request, error: Refused) -> JSONResponse:
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return _refused(request, malformed([tuple(entry["loc"]) for entry in error.errors()]))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        code = _HTTP_CODES.get(error.status_code, "OFFICE-MALFORMED")
        allowed = _allowed(request) if error.status_code == 405 else ""
        headers = {"Allow": allowed} if allowed else None
        return answer(Problem(code, f"HTTP {error.status_code}"), error.status_code, headers)

    @app.exception_handler(DataError)
    def _unstorable(request: Request, error: DataError) -> JSONResponse:
        """A text with a zero byte, a number beyond the column: PostgreSQL takes neither."""
        return _refused(request, malformed([(type(error.orig).__name__,)]))

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(TimeoutError)  # no connection of the pool came free
    def _database(_request: Request, error: Exception) -> JSONResponse:
        logs.error("database", error)
        return answer(Problem("OFFICE-BUSY", type(error).__name__), 503, {"Retry-After": "2"})

    @app.exception_handler(Exception)
    def _bug(_request: Request, error: Exception) -> JSONResponse:
        return bug(error)
