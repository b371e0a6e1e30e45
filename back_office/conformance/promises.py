"""A promise, the sentence it is made in, and how it turned out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import requests

    from back_office.conformance.bench import Bench

Outcome = Literal["kept", "broken", "skipped"]


class BrokenPromise(Exception):
    """The office did something else. The text says what; it quotes nothing of anybody."""


class CannotTry(Exception):
    """What would have to be there is not: the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Promise:
    """`sentence` stands in docs/protocol.md word for word."""

    name: str
    sentence: str
    check: Callable[[Bench], None]


@dataclass(frozen=True, slots=True)
class Result:
    """How one promise turned out; `detail` is empty for one that is kept."""

    name: str
    sentence: str
    outcome: Outcome
    detail: str
    seconds: float


class Chapter:
    """The promises of one module, in the order they are tried."""

    def __init__(self) -> None:
        self.promises: list[Promise] = []

    def promise(
        self, name: str, sentence: str
    ) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
        def keep(check: Callable[[Bench], None]) -> Callable[[Bench], None]:
            self.promises.append(Promise(name, sentence, check))
            return check

        return keep


def expect(kept: bool, otherwise: str) -> None:
    """Raises BrokenPromise."""
    if not kept:
        raise BrokenPromise(otherwise)


def answered(answer: requests.Response, status: int = 200) -> Any:
    """The JSON of an answer with that status (None without a body). Raises BrokenPromise."""
    expect(answer.status_code == status, f"{_asked(answer)}: {_said(answer)} instead of {status}")
    try:
        return answer.json() if answer.content else None
    except ValueError:
        raise BrokenPromise(f"{_asked(answer)}: no JSON with {status}") from None


def refused(answer: requests.Response, status: int, code: str = "") -> dict[str, Any]:
    """The `Problem` of a refusal, whose shape is a promise of its own. Raises BrokenPromise."""
    problem = answered(answer, status)
    shaped = isinstance(problem, dict) and isinstance(problem.get("code"), str)
    expect(
        shaped and isinstance(problem.get("detail", ""), str), f"{_asked(answer)}: no Problem with {status}"
    )
    expect(code in ("", problem["code"]), f"{_asked(answer)}: {problem['code']} instead of {code}")
    found: dict[str, Any] = problem
    return found


def _asked(answer: requests.Response) -> str:
    return f"{answer.request.method} {(answer.request.path_url or '').partition('?')[0]}"


def _said(answer: requests.Response) -> str:
    """The status, with the code of the problem where it is one; never the text of an answer."""
    try:
        code = answer.json()["code"]
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)
    return f"{answer.status_code} {str(code)[:40]}"
