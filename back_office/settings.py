"""Where the office keeps its data, and whose clock it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """`data_dir` holds the database and the catalogue files. `clock` is replaced in tests."""

    data_dir: Path
    clock: Callable[[], datetime] = utc_now

    @property
    def database(self) -> Path:
        return self.data_dir / "office.db"

    @property
    def catalogue_dir(self) -> Path:
        return self.data_dir / "catalogue"
