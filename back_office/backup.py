"""A backup of the whole office in one file, made while it serves; the same file restores on either database.

The file is a tar, packed with zstd: a table a member as JSON lines (the first names the columns), the files
of the catalogue and of the pages, and last `manifest.json` with the size and SHA-256 of every member. The
tables are read in one transaction, so they show one moment. The files are copied after it: a file is complete
before a row names it and never changes, so whatever the rows name is there. A page still on its way is
left out: its window sends it anew.

It holds personal data and the office's keys. It is written with mode 600 and not encrypted: keep it on an
encrypted disk.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import sqlalchemy as sa
import zstandard
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from back_office import logs, migrations, restoring
from back_office.db import Database, open_database
from back_office.office import Office, Transaction
from back_office.settings import Settings
from back_office.tables import metadata
from clerk_app import __version__
from clerk_app.failures import Failure

FORMAT = 1
MANIFEST = "manifest.json"
FOLDERS = ("catalogue", "uploads")
UNFINISHED = (".new", ".building", ".part", ".carried")
UNNAMED = ".new"
"""How a backup is called that is not complete."""
ROWS = 1_000
CHUNK = 1 << 20

_MEMBER = re.compile(r"tables/[a-z_]+\.jsonl|(?:catalogue|uploads)/[0-9A-Za-z._/-]+")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds."""

    file: Path
    made_at: str
    rows: int
    files: int
    size: int


def back_up(office: Office, target: Path) -> Summary:
    """Write the backup to `target`, or under a name with the time into the folder `target`.

    The file has its name only when it is complete and on the disk, and never takes the place of another: not
    of an older backup, of a device, of the office's own files. Raises Failure("OFFICE-BACKUP-FILE").
    """
    now = office.settings.clock().astimezone(UTC)
    with _failing_at(target):
        if target.is_dir():
            target /= f"back-office-{now:%Y%m%dT%H%M%SZ}.tar.zst"
        _check_free(target, office.settings.data_dir)
        descriptor, name = tempfile.mkstemp(UNNAMED, target.name + ".", target.parent)  # of mode 600
        aside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as plain:
                manifest = _written(office, plain, now, aside.parent)
                plain.flush()
                os.fsync(plain.fileno())
            _name(aside, target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        size = target.stat().st_size
    made = _summary(target, manifest, size)
    logs.info("backed-up", rows=made.rows, files=made.files, size=size)
    return made


@contextmanager
def _failing_at(file: Path) -> Iterator[None]:
    """Tell which file could not be written or read: `file` where the error names none of its own."""
    try:
        yield
    except OSError as error:
        named = error.filename
        which = file if not isinstance(named, str) or named.endswith(UNNAMED) else named
        raise Failure("OFFICE-BACKUP-FILE", f"{which}: {error.strerror or type(error).__name__}") from error


def _check_free(target: Path, data_dir: Path) -> None:
    """Before hours of work; `_name` asks again. Raises FileExistsError, or Failure("OFFICE-BACKUP-FILE")."""
    if target.parent.resolve().is_relative_to(data_dir.resolve()):
        raise Failure("OFFICE-BACKUP-FILE", f"{target}: inside the data folder")
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _name(aside: Path, target: Path) -> None:
    """A rename would replace what got the name meanwhile; a link does not. Raises FileExistsError."""
    try:
        os.link(aside, target)
    except FileExistsError:
        raise
    except OSError:  # no hard links, as on most sticks: take the name first, then rename over it
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            aside.replace(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    else:
        aside.unlink()


def _summary(file: Path, manifest: dict[str, Any], size: int) -> Summary:
    files = len(manifest["members"]) - len(manifest["tables"])
    return Summary(file, manifest["made_at"], sum(manifest["tables"].values()), files, size)


def _written(office: Office, plain: IO[bytes], now: datetime, room: Path) -> dict[str, Any]:
    """Write everything; returns the manifest. Tables pass through a file without a name in `room`."""
    tables: dict[str, int] = {}
    packer = zstandard.ZstdCompressor(level=6, threads=1)
    with (
        packer.stream_writer(plain, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        members = _Members(tar)

        def dump(connection: sa.Connection) -> str | None:
            for table in metadata.sorted_tables:
                with tempfile.TemporaryFile(dir=room) as spool:
                    tables[table.name] = _dump(connection, table, spool)
                    members.add(f"tables/{table.name}.jsonl", spool, spool.tell())
            return migrations.current(connection)

        schema = office.read(dump)
        for file in _files(office.settings.data_dir):
            with file.open("rb") as source:
                name = file.relative_to(office.settings.data_dir).as_posix()
                members.add(name, source, os.fstat(source.fileno()).st_size)
        manifest = {
            "format": FORMAT,
            "program": __version__,
            "schema": schema,
            "made_at": now.isoformat(timespec="seconds"),
            "database": office.database.kind,
            "tables": tables,
            "members": dict(members.known),
        }
        text = json.dumps(manifest, indent=1).encode()
        members.add(MANIFEST, io.BytesIO(text), len(text))
    return manifest


class _Members:
    """Adds to the tar and remembers the digests."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.known: dict[str, dict[str, Any]] = {}

    def add(self, name: str, source: IO[bytes], size: int) -> None:
        source.seek(0)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        reader = _Hashing(source)
        self._tar.addfile(entry, cast(IO[bytes], reader))
        self.known[name] = {"size": size, "sha256": reader.digest.hexdigest()}


class _Hashing:
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


def _dump(connection: sa.Connection, table: sa.Table, spool: IO[bytes]) -> int:
    """A table as JSON lines; returns its rows."""
    count = 0
    spool.write(_line([column.name for column in table.columns]))
    # A cursor of the server's own: a city's register does not fit into memory.
    streamed = connection.execute(sa.select(table), execution_options={"yield_per": ROWS})
    for row in streamed:
        spool.write(_line([_plain(value) for value in row]))
        count += 1
    return count


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date too


def _files(data_dir: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((data_dir / folder).rglob("*")):
            if path.is_file() and path.suffix not in UNFINISHED:
                yield path


def restore(
    settings: Settings, source: Path, then: Callable[[Transaction], None] = lambda _tx: None
) -> Summary:
    """Restore into the empty place `settings` names, do what `back-office restored` does, and `then`.

    The file is read through before anything is made, and the database comes in one transaction. Raises
    Failure("OFFICE-NOT-EMPTY"), ("OFFICE-BACKUP") for a damaged file or one of a newer program, and
    ("OFFICE-BACKUP-FILE").
    """
    try:
        _check_empty(settings)
        with _failing_at(source):
            _read_through(source)
            size = source.stat().st_size
        with _failing_at(settings.data_dir):
            manifest = _restored(settings, source, then)
    except DBAPIError as error:
        raise Failure("OFFICE-DATABASE", type(error.orig).__name__) from None
    return _summary(source, manifest, size)


def _check_empty(settings: Settings) -> None:
    """Raises Failure("OFFICE-NOT-EMPTY"); makes nothing, not the file that SQLite makes when it is asked."""
    if any((settings.data_dir / folder).exists() for folder in FOLDERS):
        raise Failure("OFFICE-NOT-EMPTY", "files")
    if not settings.postgresql and not settings.database.exists():
        return
    database = open_database(settings.database_address)
    try:
        if database.read(lambda connection: sa.inspect(connection).get_table_names()):
            raise Failure("OFFICE-NOT-EMPTY", "database")
    finally:
        database.close()


def _restored(settings: Settings, source: Path, then: Callable[[Transaction], None]) -> dict[str, Any]:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not settings.postgresql:
        settings.database.touch(mode=0o600)  # what SQLite makes beside it gets the same mode
        settings.database.chmod(0o600)
    database = open_database(settings.database_address)
    try:
        with _unpacked(source, settings.data_dir) as (folder, manifest):
            _moved_in(settings, folder, lambda: _load(settings, database, folder, manifest, then))
    finally:
        database.close()
    return manifest


@contextmanager
def _unpacked(source: Path, room: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The members of a backup as files in `room`, every digest checked, and the manifest."""
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=room) as name:
        yield Path(name), _read_through(source, Path(name))


def _read_through(source: Path, folder: Path | None = None) -> dict[str, Any]:
    """The manifest, every digest checked; the members become files where a `folder` is given.

    Raises Failure("OFFICE-BACKUP").
    """
    try:
        found, told = _members(source, folder)
        if found.pop(MANIFEST, None) is None:
            raise Failure("OFFICE-BACKUP", "no manifest")
        manifest: dict[str, Any] = json.loads(told)
        if manifest["format"] != FORMAT or manifest["members"] != found:
            raise Failure("OFFICE-BACKUP", "digests")
        if set(manifest["tables"]) != {Path(one).stem for one in found if one.startswith("tables/")}:
            raise Failure("OFFICE-BACKUP", "tables")
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError, KeyError, TypeError) as error:
        raise Failure("OFFICE-BACKUP", type(error).__name__) from None
    return manifest


def _members(source: Path, folder: Path | None) -> tuple[dict[str, dict[str, Any]], bytes]:
    """Size and digest of every member, and the text of the manifest."""
    found: dict[str, dict[str, Any]] = {}
    text = b""
    with (
        source.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as plain,
        tarfile.open(fileobj=plain, mode="r|") as tar,
    ):
        for entry in tar:
            fits = entry.name == MANIFEST or _MEMBER.fullmatch(entry.name)
            data = tar.extractfile(entry) if entry.isreg() and fits and ".." not in entry.name else None
            if data is None or entry.name in found:
                raise Failure("OFFICE-BACKUP", "members")
            digest = hashlib.sha256()
            with _place(folder, entry.name) as target:
                while chunk := data.read(CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
                    text += chunk if entry.name == MANIFEST else b""
            found[entry.name] = {"size": entry.size, "sha256": digest.hexdigest()}
    return found, text


def _place(folder: Path | None, name: str) -> IO[bytes]:
    """Where a member goes, nobody else's to read from the start; nowhere without a `folder`."""
    if folder is None:
        return Path(os.devnull).open("wb")
    for parent in reversed(Path(name).parents):
        (folder / parent).mkdir(mode=0o700, exist_ok=True)
    return os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _moved_in(settings: Settings, folder: Path, then: Callable[[], None]) -> None:
    """Move the files to their place, run `then`; take them away again when it fails."""
    moved = [name for name in FOLDERS if (folder / name).is_dir()]
    try:
        for name in moved:
            (folder / name).rename(settings.data_dir / name)
        then()
    except BaseException:
        for name in moved:
            shutil.rmtree(settings.data_dir / name, ignore_errors=True)
        raise


def _load(
    settings: Settings,
    database: Database,
    folder: Path,
    manifest: dict[str, Any],
    then: Callable[[Transaction], None],
) -> None:
    def fill(connection: sa.Connection) -> None:
        try:
            migrations.upgrade(connection, manifest["schema"])
        except CommandError:
            raise Failure("OFFICE-BACKUP", f"of program {manifest['program']}") from None
        made = sa.MetaData()
        made.reflect(connection)
        mine = [table for table in made.sorted_tables if table.name != "alembic_version"]
        if {table.name for table in mine} != set(manifest["tables"]):
            raise Failure("OFFICE-BACKUP", "tables")
        for table in reversed(mine):
            connection.execute(sa.delete(table))  # what the migrations put there
        for table in mine:
            with (folder / "tables" / f"{table.name}.jsonl").open("rb") as lines:
                _fill(connection, table, lines)
        migrations.upgrade(connection)
        tx = Transaction(connection, settings.clock())
        restoring.restored(tx)
        then(tx)
        tx.finish()

    database.write(fill)


def _fill(connection: sa.Connection, table: sa.Table, lines: IO[bytes]) -> None:
    names = json.loads(next(lines))
    read = [_READ.get(type(table.c[name].type.as_generic()), _as_it_is) for name in names]
    insert = sa.insert(table)
    rows = (
        {name: turn(value) for name, turn, value in zip(names, read, json.loads(line), strict=True)}
        for line in lines
    )
    while page := list(islice(rows, ROWS)):
        connection.execute(insert, page)


def _as_it_is(value: Any) -> Any:
    return value


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).astimezone(UTC)


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


_READ: dict[type[Any], Callable[[Any], Any]] = {sa.DateTime: _moment, sa.Date: _day}
