"""Changes of the cache's schema: all or nothing, after a copy, and equal to the tables of the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from clerk_app.failures import Failure
from clerk_app.store import schema
from clerk_app.store.cache import SqlStore
from clerk_app.store.faults import sqlite_faults
from clerk_app.store.folder import CacheFolder
from clerk_app.store.tables import metadata
from clerk_app.store.vault import GivenKey, throw_away_key

NEXT = """
import os, signal
import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "0003"


def upgrade():
    op.create_table("stamps", sa.Column("n", sa.Integer, primary_key=True))
    with op.batch_alter_table("facts") as facts:
        facts.add_column(sa.Column("since", sa.String, server_default="then"))
    op.execute("UPDATE facts SET value = 'changed'")
    {then}
"""

UPGRADE = """
import sys
from pathlib import Path
from clerk_app.store import schema
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey
schema.HEAD = "9001"
schema.VERSIONS += (Path(sys.argv[2]),)
schema.upgrade.__kwdefaults__.update(head=schema.HEAD, versions=schema.VERSIONS)
SqlStore.open(Path(sys.argv[1]), GivenKey(bytes.fromhex(sys.argv[3])))
"""


@pytest.fixture
def key() -> GivenKey:
    return throw_away_key()


@pytest.fixture
def folder(tmp_path: Path, key: GivenKey) -> Path:
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(lambda tx: tx.meta.set("kept", "before"))
    store.close()
    return tmp_path / "cache"


def next_version(tmp_path: Path, then: str) -> tuple[Path, ...]:
    """The program's migrations and one more, which ends with the statement `then`."""
    versions = tmp_path / "versions"
    versions.mkdir(exist_ok=True)
    (versions / "9001_next.py").write_text(NEXT.format(then=then))
    return (*schema.VERSIONS, versions)


def upgraded(store: SqlStore, folder: Path | None, versions: tuple[Path, ...]) -> None:
    def run() -> None:
        with sqlite_faults():
            target = CacheFolder(folder) if folder else None
            schema.upgrade(store._connection, target, head="9001", versions=versions)

    store.lane.run(run)


def rows(store: SqlStore, query: str) -> list[tuple[object, ...]]:
    return store.lane.run(lambda: store._driver.execute(query).fetchall())


def test_the_program_works_with_the_newest_script() -> None:
    scripts = ScriptDirectory.from_config(schema.alembic_config())
    assert scripts.get_heads() == [schema.HEAD]


def test_the_scripts_make_the_tables_of_the_program() -> None:
    store = SqlStore.in_memory()
    differences = store.lane.run(
        lambda: compare_metadata(
            MigrationContext.configure(store._connection, opts={"compare_type": True}), metadata
        )
    )
    store.lane.run(store._connection.rollback)
    store.close()
    assert differences == []


def test_scripts_stand_alone() -> None:
    for script in (schema.MIGRATIONS / "versions").glob("*.py"):
        assert "clerk_app" not in script.read_text("utf-8")


def test_a_cache_with_data_is_changed_after_an_encrypted_copy(
    folder: Path, tmp_path: Path, key: GivenKey
) -> None:
    (folder / "cache-at-0000.db").write_bytes(b"an older copy")
    store = SqlStore.open(folder, key)
    upgraded(store, folder, next_version(tmp_path, "pass"))
    assert rows(store, "SELECT value, since FROM facts") == [("changed", "then")]
    assert rows(store, "PRAGMA foreign_keys") == [(1,)]
    store.close()
    assert [path.name for path in folder.glob("cache-at-*")] == ["cache-at-0003.db"]
    copy = folder / "cache-at-0003.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not copy.read_bytes().startswith(b"SQLite format 3")
    copy.replace(folder / "cache.db")
    restored = SqlStore.open(folder, key)
    assert restored.read(lambda tx: tx.meta.get("kept")) == "before"
    restored.close()


def test_a_script_that_fails_leaves_the_old_schema_and_the_old_data(
    folder: Path, tmp_path: Path, key: GivenKey
) -> None:
    store = SqlStore.open(folder, key)
    with pytest.raises(KeyError, match="in the middle"):
        upgraded(store, folder, next_version(tmp_path, "raise KeyError('in the middle')"))
    assert untouched(store)
    store.close()


def test_a_process_killed_half_way_leaves_the_old_schema_and_the_old_data(
    folder: Path, tmp_path: Path, key: GivenKey
) -> None:
    versions = next_version(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    command = [sys.executable, "-c", UPGRADE, str(folder), str(versions[-1]), key.secret.hex()]
    killed = subprocess.run(command, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert killed.returncode == -signal.SIGKILL
    assert (folder / "cache-at-0003.db").exists()
    store = SqlStore.open(folder, key)
    assert untouched(store)
    upgraded(store, folder, next_version(tmp_path, "pass"))  # and the next start goes through
    assert rows(store, "SELECT value, since FROM facts") == [("changed", "then")]
    store.close()


def untouched(store: SqlStore) -> bool:
    tables = {name for (name,) in rows(store, "SELECT name FROM sqlite_master")}
    columns = {row[1] for row in rows(store, "PRAGMA table_info(facts)")}
    return (
        not {"stamps", "_alembic_tmp_facts"} & tables
        and columns == {"key", "value"}
        and rows(store, "SELECT value FROM facts") == [("before",)]
        and rows(store, "SELECT version_num FROM alembic_version") == [("0003",)]
    )


def test_a_script_that_leaves_a_child_without_its_parent_is_undone(
    folder: Path, tmp_path: Path, key: GivenKey
) -> None:
    insert = (
        "INSERT INTO print_jobs (id, case_id, slip_type, slip, state, created_at, reprint, code) "
        "VALUES ('j', 'no case', 'void', '', 'queued', '', 0, '')"
    )
    store = SqlStore.open(folder, key)
    with pytest.raises(AssertionError, match="without its parent"):
        upgraded(store, folder, next_version(tmp_path, f'op.execute("{insert}")'))
    assert untouched(store)
    store.close()


def test_a_revision_that_is_not_ours_is_newer(folder: Path, tmp_path: Path, key: GivenKey) -> None:
    store = SqlStore.open(folder, key)
    upgraded(store, folder, next_version(tmp_path, "pass"))
    store.close()
    with pytest.raises(Failure, match="STORE-NEWER: the cache is at 9001, the program at 0003"):
        SqlStore.open(folder, key)
