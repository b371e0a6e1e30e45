"""The shape every bench reports in, and the small statistics they share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure beside its reference, from the same run. Times in milliseconds."""

    what: str
    ours: float
    reference: float | None
    unit: str = "ms"

    @property
    def ratio(self) -> float | None:
        return self.ours / self.reference if self.reference else None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the product with the rows that show it. `goal` is a sentence; `met` what the rows say."""

    name: str
    reference: str
    goal: str
    met: bool
    rows: tuple[Row, ...]
    note: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of `values` lie, nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(claim: Claim) -> str:
    """The claim as a Markdown section."""
    verdict = "met" if claim.met else "not met"
    lines = [
        f"### {claim.name}",
        "",
        f"Goal: {claim.goal} **{verdict}**",
        "",
        f"| measured | ours | {claim.reference} | ratio |",
        "|---|---:|---:|---:|",
    ]
    for row in claim.rows:
        reference = "" if row.reference is None else f"{row.reference:.2f} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"| {row.what} | {row.ours:.2f} {row.unit} | {reference} | {ratio} |")
    if claim.note:
        lines += ["", claim.note]
    return "\n".join(lines) + "\n"


def publish(claim: Claim) -> None:
    """Print the claim as a table and as one line of JSON, the last one."""
    print(table(claim))
    print(msgspec.json.encode(claim).decode())


def published(printed: str) -> Claim:
    """The claim that `publish` printed. Raises msgspec.DecodeError when there is none."""
    return msgspec.json.decode(printed.splitlines()[-1] if printed else "", type=Claim)
