"""Where the office keeps its data, and whose clock it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """`data_dir` holds the files, and the database unless `postgresql` names one; tests replace `clock`.

    `postgresql` is a libpq address (`postgresql://…`, several hosts and `sslmode` included); its password may
    stand in it, so it is never shown. `metrics_token` opens `/metrics` to who is not on this machine.
    """

    data_dir: Path
    clock: Callable[[], datetime] = utc_now
    postgresql: str = field(default="", repr=False)
    metrics_token: str = field(default="", repr=False)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "office.db"

    @property
    def database_address(self) -> Path | str:
        """What `db.open_database` opens."""
        return self.postgresql or self.database

    @property
    def catalogue_dir(self) -> Path:
        return self.data_dir / "catalogue"


def settings_of(where: Path | Settings) -> Settings:
    """The settings of an office on SQLite in the folder `where`, or those given."""
    return where if isinstance(where, Settings) else Settings(where)
