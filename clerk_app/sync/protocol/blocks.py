"""Blocks of case numbers, leased to one epoch of a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clerk_app.sync.protocol.common import Sealed

BlockKind = Literal["case", "emergency"]
"""Emergency serials begin at 90,000,000: used when every other block is used up, told by their number."""


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """Same `request_no`, same block: a lost answer is asked for again."""

    request_no: int
    size: int = 500
    kind: BlockKind = "case"


@dataclass(frozen=True, slots=True)
class BlockAnswer:
    id: str
    low: int
    high: int
    epoch: int
    kind: BlockKind = "case"
    lease: Sealed | None = None
