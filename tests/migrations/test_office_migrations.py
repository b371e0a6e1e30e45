"""The office's schema: from nothing, exactly the tables of the program, and never half of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from back_office import migrations
from back_office.db import Database, check_linked_sqlite, open_database
from back_office.office import open_office
from back_office.settings import Settings
from back_office.tables import metadata
from clerk_app.failures import Failure

KILLED_HALF_WAY = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event, Engine
from back_office import migrations
from back_office.db import open_database

created = 0

@event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, parameters, context, many):
    global created
    created += statement.lstrip().upper().startswith("CREATE TABLE")
    if created == 9:
        os.kill(os.getpid(), signal.SIGKILL)

open_database(Path(sys.argv[1])).write(migrations.upgrade)
"""


def _tables(database: Database) -> set[str]:
    return set(database.read(lambda connection: sa.inspect(connection).get_table_names()))


def test_from_empty_to_head_gives_the_tables_of_the_program(tmp_path: Path) -> None:
    database = open_database(tmp_path / "office.db")
    database.write(migrations.upgrade)
    database.write(migrations.upgrade)  # a second time changes nothing

    assert database.read(migrations.current) == migrations.head()
    assert _tables(database) == {*metadata.tables, "alembic_version"}
    assert database.read(lambda c: compare_metadata(MigrationContext.configure(c), metadata)) == []
    database.close()


def test_a_migration_killed_half_way_leaves_what_was_before(tmp_path: Path) -> None:
    path = tmp_path / "office.db"
    killed = subprocess.run([sys.executable, "-c", KILLED_HALF_WAY, str(path)], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL

    database = open_database(path)
    assert _tables(database) == set()
    database.write(migrations.upgrade)
    assert database.read(migrations.current) == migrations.head()
    database.close()


def test_a_migration_that_fails_half_way_leaves_what_was_before(tmp_path: Path) -> None:
    database = open_database(tmp_path / "office.db")

    def fail(connection: sa.Connection) -> None:
        migrations.upgrade(connection)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        database.write(fail)
    assert _tables(database) == set()
    database.close()


def test_the_office_does_not_open_without_its_own_schema(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="OFFICE-NOT-READY"):
        open_office(Settings(tmp_path))
    database = open_database(tmp_path / "office.db")
    database.write(migrations.upgrade)
    database.write(lambda c: c.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    database.close()
    with pytest.raises(Failure, match="OFFICE-NOT-READY"):
        open_office(Settings(tmp_path))


def test_a_sqlite_that_can_lose_transactions_is_refused() -> None:
    check_linked_sqlite()
    for version in ("3.40.1", "3.51.2"):
        with pytest.raises(Failure, match="OFFICE-SQLITE-UNSAFE"):
            check_linked_sqlite(version)


def test_every_connection_is_durable_and_checks_its_keys(tmp_path: Path) -> None:
    database = open_database(tmp_path / "office.db")
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    found = database.read(lambda c: [c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas])
    assert found == ["wal", 2, 1, 10_000]
    database.close()


UNIQUE = {
    "command": "INSERT INTO command VALUES"
    " ('MY01','c','h','t','d','o','now','applied','','{}','now','',NULL)",
    "delivery": "INSERT INTO delivery VALUES ('d',1,1,'c','h','{}')",
    "block": "INSERT INTO block VALUES (hex(randomblob(8)),'MY01','d',1,abs(random()),1,500,'now','case')",
    "ticket": "INSERT INTO ticket (id,hall,queue,series,kind,day,number,position,state,version,issued_at,"
    "calls,reason) VALUES (hex(randomblob(8)),'MY01','A','A','general','2026-11-21','A001',1,'waiting',1,"
    "'now',0,'')",
    "number": "INSERT INTO registered_case (hall,id,number,official_number,device,operator,item_code,"
    "item_version,body_code,body_name,state,version,received_at,registered_at,flags,filing) VALUES ("
    "'MY01',hex(randomblob(8)),'MY0100000001X',hex(randomblob(8)),'d','o','i',1,'b','b','received',1,"
    "'now','now','','')",
    "request of a block": "INSERT INTO block VALUES (hex(randomblob(8)),'MY01','d',1,7,"
    "abs(random()) % 1000000,1000000 + abs(random()) % 1000000,'now','case')",
}


@pytest.mark.parametrize("statement", UNIQUE.values(), ids=UNIQUE.keys())
def test_the_database_itself_refuses_doubles(tmp_path: Path, statement: str) -> None:
    """Exactly once is a UNIQUE constraint, whatever the program above it forgets."""
    database = open_database(tmp_path / "office.db")
    database.write(migrations.upgrade)

    def insert(connection: sa.Connection) -> None:
        connection.exec_driver_sql(statement)

    def parents(connection: sa.Connection) -> None:
        for parent in (
            "INSERT INTO hall VALUES ('MY01','n','n','510700',0,1,90000000,0)",
            "INSERT INTO queue VALUES ('MY01','A',NULL,0,3,3)",
            "INSERT INTO device VALUES ('d','MY01','m','w','A',1,0,'now','',NULL,NULL)",
            "INSERT INTO item VALUES ('i',1,'licence','b','b','published',NULL,NULL,NULL)",
        ):
            connection.exec_driver_sql(parent)

    database.write(parents)
    database.write(insert)
    with pytest.raises(IntegrityError, match="UNIQUE"):
        database.write(insert)
    database.close()


def test_an_office_of_the_first_schema_gets_the_scope_of_lost_cards(tmp_path: Path) -> None:
    database = open_database(tmp_path / "office.db")

    def first(connection: sa.Connection) -> None:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO scope VALUES ('','catalogue','g',7,0)")

    database.write(first)
    database.write(migrations.upgrade)
    scopes = database.read(lambda c: c.exec_driver_sql("SELECT name, seq FROM scope ORDER BY name").all())
    assert scopes == [("catalogue", 7), ("lost-cards", 0)]
    database.close()
