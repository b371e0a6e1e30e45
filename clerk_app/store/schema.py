"""Bring the tables of a cache up to the program: one transaction, after an encrypted copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from clerk_app.failures import Failure
from clerk_app.store.faults import file_faults
from clerk_app.store.folder import CacheFolder, sync_folder

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""The revision this program works with. A test holds it to the newest migration script."""

MIGRATIONS = Path(__file__).with_name("migrations")
VERSIONS = (MIGRATIONS / "versions",)


def upgrade(
    connection: Connection,
    folder: CacheFolder | None,
    *,
    head: str = HEAD,
    versions: Sequence[Path] = VERSIONS,
) -> None:
    """Run the migrations from the cache's revision to `head`: all of them or none.

    A cache with data is copied first (`folder.copy_at`); one in memory has no folder. Raises
    Failure("STORE-NEWER") when the revision is not one of ours, and what SQLite may fail with.
    """
    revision = revision_of(connection)
    if revision == head:
        return
    config = alembic_config(versions)
    if revision is not None:
        _check_known(config, revision)
        if folder is not None:
            _copy(connection, folder.copy_at(revision))
            folder.drop_copies(keep=folder.copy_at(revision))
    _run(connection, config, head)


def check_known(connection: Connection) -> None:
    """Raise Failure("STORE-NEWER") for a cache of a newer program; one that has to be brought up to date is
    known."""
    revision = revision_of(connection)
    if revision not in (None, HEAD):
        _check_known(alembic_config(), str(revision))


def revision_of(connection: Connection) -> str | None:
    """The revision the cache is at; None for one without tables."""
    with connection.begin():
        if not inspect(connection).has_table("alembic_version"):
            return None
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def alembic_config(versions: Sequence[Path] = VERSIONS) -> Config:
    """Alembic's configuration without a file of its own: where the scripts lie."""
    from alembic.config import Config  # takes a quarter of a second: only when there is something to do

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, versions)).replace("%", "%%"))
    return config


def _check_known(config: Config, revision: str) -> None:
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision not in known:
        raise Failure("STORE-NEWER", f"the cache is at {revision}, the program at {max(known)}")


def _copy(connection: Connection, target: Path) -> None:
    """A consistent copy, encrypted under the same key; complete once it bears the name `target`."""
    part = target.with_suffix(".part")
    with file_faults():
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
    _pragma(connection, "VACUUM INTO ?", str(part))
    with file_faults():
        part.replace(target)
        sync_folder(target.parent)


def _run(connection: Connection, config: Config, head: str) -> None:
    from alembic import command

    config.attributes["connection"] = connection
    _pragma(connection, "PRAGMA foreign_keys = OFF")  # a table that is rebuilt is dropped in between
    try:
        with connection.begin():
            command.upgrade(config, head)
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise AssertionError(f"the migration left a row of {broken[0]} without its parent")
    finally:
        _pragma(connection, "PRAGMA foreign_keys = ON")


def _pragma(connection: Connection, statement: str, *values: str) -> None:
    """Run a statement that SQLite refuses, or ignores, inside a transaction."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(statement, values)
