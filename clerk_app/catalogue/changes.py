"""What the feed said about single items since the catalogue file was built, in a small file beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from clerk_app.domain.catalogue import ItemStatus
from clerk_app.failures import Failure


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The state of one item as of `version`; a file that knows this version or a newer one ignores it."""

    code: str
    status: ItemStatus
    version: int
    valid_to: date | None = None


def _beside(catalogue: Path) -> Path:
    return catalogue.with_name(catalogue.name + ".changes")


def read_changes(catalogue: Path) -> dict[str, ItemChange]:
    """Item code -> change. None when there is no such file. Raises Failure("CATALOGUE-DAMAGED")."""
    try:
        content = _beside(catalogue).read_bytes()
    except FileNotFoundError:
        return {}
    try:
        changes = msgspec.json.decode(content, type=list[ItemChange])
    except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
        raise Failure("CATALOGUE-DAMAGED", f"{_beside(catalogue).name}: {cause}") from cause
    return {change.code: change for change in changes}


def write_changes(catalogue: Path, changes: Mapping[str, ItemChange]) -> None:
    """Replace the file in one step; on return it is on the disk."""
    target = _beside(catalogue)
    aside = target.with_name(target.name + ".new")
    with aside.open("wb") as file:
        file.write(msgspec.json.encode(list(changes.values())))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(target)


def keep_changes(catalogue: Path, changes: Iterable[ItemChange]) -> None:
    """Keep `changes` for a catalogue file that has not come yet; an older one never replaces a newer one."""
    known = read_changes(catalogue)
    for change in changes:
        if change.code not in known or change.version > known[change.code].version:
            known[change.code] = change
    write_changes(catalogue, known)


def drop_changes(catalogue: Path) -> None:
    """Forget what the feed said; whoever calls this makes the feed say it again."""
    _beside(catalogue).unlink(missing_ok=True)
