"""Opening the cache: what lies on the disk, and every way in which it can be refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_samples import IDENTITY, NAME, enrol, file_case

from clerk_app.failures import Failure
from clerk_app.store.cache import SqlStore
from clerk_app.store.engine import check_sqlite
from clerk_app.store.folder import CacheFolder
from clerk_app.store.vault import GivenKey, throw_away_key

CHILD = Path(__file__).with_name("store_child.py")
PRIVATE_MOUNTS = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]


@pytest.fixture
def key() -> GivenKey:
    return throw_away_key()


@pytest.fixture
def folder(tmp_path: Path, key: GivenKey) -> Path:
    """A cache with some cases in it, closed."""
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    for _ in range(20):
        store.write(file_case)
    store.close()
    return tmp_path / "cache"


@pytest.fixture
def held(folder: Path, key: GivenKey) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the cache open."""
    command = [sys.executable, str(CHILD), "hold", str(folder), key.secret.hex()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def refusal(folder: Path, key: GivenKey) -> str:
    with pytest.raises(Failure) as failure:
        SqlStore.open(folder, key)
    return failure.value.code


def cases(folder: Path, key: GivenKey) -> int:
    store = SqlStore.open(folder, key)
    try:
        return len(store.read(lambda tx: tx.cases.recent(1000)))
    finally:
        store.close()


def spoil(file: Path, at: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(b"spoilt spoilt")


def test_no_file_of_an_open_cache_shows_what_is_in_it(tmp_path: Path, key: GivenKey) -> None:
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    store.write(file_case)
    contents = {file.name: file.read_bytes() for file in (tmp_path / "cache").iterdir()}
    store.close()
    contents["after closing"] = (tmp_path / "cache" / "cache.db").read_bytes()
    assert len(contents["cache.db-wal"]) > 10_000
    assert not contents["after closing"].startswith(b"SQLite format 3")
    for secret in (NAME.encode(), IDENTITY.encode(), b"CREATE TABLE", key.secret, key.secret.hex().encode()):
        assert not [name for name, content in contents.items() if secret in content]


def test_only_the_account_may_see_the_files(tmp_path: Path, key: GivenKey) -> None:
    (tmp_path / "cache").mkdir(mode=0o755)
    store = SqlStore.open(tmp_path / "cache", key)
    store.write(enrol)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "cache").iterdir()}
    store.close()
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert modes == {"cache.db": 0o600, "cache.db-wal": 0o600, "cache.key-id": 0o600, "cache.lock": 0o600}


def test_what_was_written_is_there_after_closing_and_opening(folder: Path, key: GivenKey) -> None:
    assert cases(folder, key) == 20
    assert not (folder / "cache.db-wal").exists()


def test_a_wrong_key(folder: Path, key: GivenKey) -> None:
    assert refusal(folder, throw_away_key()) == "STORE-WRONG-KEY"
    (folder / "cache.key-id").unlink()
    assert refusal(folder, throw_away_key()) == "STORE-WRONG-KEY"
    assert cases(folder, key) == 20  # the right key still opens, and its name is noted again
    assert (folder / "cache.key-id").exists()


@pytest.mark.parametrize("page", [1, 2, 9])
def test_a_damaged_page_is_found_at_the_start(folder: Path, key: GivenKey, page: int) -> None:
    spoil(folder / "cache.db", 4096 * (page - 1) + 200)
    assert refusal(folder, key) == "STORE-DAMAGED"


def test_a_file_cut_short_is_damaged(folder: Path, key: GivenKey) -> None:
    os.truncate(folder / "cache.db", (folder / "cache.db").stat().st_size // 2)
    assert refusal(folder, key) == "STORE-DAMAGED"


def test_a_newer_schema(folder: Path, key: GivenKey) -> None:
    store = SqlStore.open(folder, key)
    store.lane.run(store._driver.execute, "UPDATE alembic_version SET version_num = '9999'")
    store.close()
    before = (folder / "cache.db").read_bytes()
    assert refusal(folder, key) == "STORE-NEWER"
    assert (folder / "cache.db").read_bytes() == before


def test_a_second_process_is_refused_until_the_first_is_gone(
    held: subprocess.Popen[str], folder: Path, key: GivenKey
) -> None:
    assert refusal(folder, key) == "STORE-IN-USE"
    held.kill()
    held.wait()
    assert cases(folder, key) == 20


def test_without_the_lock_file_sqlite_itself_still_refuses(
    held: subprocess.Popen[str], folder: Path, key: GivenKey
) -> None:
    (folder / "cache.lock").unlink()
    assert refusal(folder, key) == "STORE-IN-USE"


def test_a_second_store_in_the_same_process_is_refused(folder: Path, key: GivenKey) -> None:
    store = SqlStore.open(folder, key)
    assert refusal(folder, key) == "STORE-IN-USE"
    store.close()


def test_a_folder_of_another_account(folder: Path) -> None:
    with pytest.raises(Failure) as failure:
        CacheFolder(folder).take(account=folder.stat().st_uid + 1)
    assert failure.value.code == "STORE-OTHER-ACCOUNT"


def in_mounts(script: str, folder: Path, key: GivenKey, verb: str = "open") -> str:
    """What the child says in a mount namespace of its own, prepared by `script` ($1 is the folder)."""
    shell = f'set -e; {script}; exec "$2" "$3" "$4" "$5" "$6"'
    arguments = [str(folder), sys.executable, str(CHILD), verb, str(folder), key.secret.hex()]
    command = [*PRIVATE_MOUNTS, "sh", "-c", shell, "sh", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_read_only_disk(folder: Path, key: GivenKey) -> None:
    read_only = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"'
    assert in_mounts(read_only, folder, key) == "STORE-READ-ONLY"
    assert cases(folder, key) == 20


def test_a_read_only_database_file(folder: Path, key: GivenKey) -> None:
    read_only = 'mount --bind "$1/cache.db" "$1/cache.db"; mount -o remount,bind,ro "$1/cache.db"'
    assert in_mounts(read_only, folder, key) == "STORE-READ-ONLY"


def test_a_disk_that_is_full_from_the_start(tmp_path: Path, key: GivenKey) -> None:
    (tmp_path / "cache").mkdir()
    full = 'mount -t tmpfs -o size=64k,mode=0700 none "$1"; head -c 60k /dev/zero > "$1/ballast"'
    assert in_mounts(full, tmp_path / "cache", key) == "STORE-FULL"


def test_a_file_where_the_folder_should_be(tmp_path: Path, key: GivenKey) -> None:
    (tmp_path / "cache").write_text("")
    assert refusal(tmp_path / "cache", key) == "STORE-IO"


@pytest.mark.parametrize("page", [1, 3])
def test_a_refused_start_leaves_nothing_open_or_locked(folder: Path, key: GivenKey, page: int) -> None:
    whole = (folder / "cache.db").read_bytes()
    spoil(folder / "cache.db", 4096 * (page - 1) + 200)
    with pytest.raises(Failure) as kept:  # and with it every frame of the attempt
        SqlStore.open(folder, key)
    held = [handle.readlink() for handle in Path("/proc/self/fd").iterdir() if handle.is_symlink()]
    assert not [path for path in held if path.is_relative_to(folder)]
    (folder / "cache.db").write_bytes(whole)
    assert cases(folder, key) == 20
    assert kept.value.code == "STORE-DAMAGED"


def test_a_start_that_was_cut_off_before_the_first_table_begins_again(tmp_path: Path, key: GivenKey) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "cache.db").touch()
    assert cases(tmp_path / "cache", key) == 0


@pytest.mark.parametrize("version", [(3, 51, 3), (3, 53, 4), (3, 50, 7), (3, 44, 6), (4, 0, 0)])
def test_a_sqlite_with_the_log_fixed_is_accepted(version: tuple[int, ...]) -> None:
    check_sqlite(version)


@pytest.mark.parametrize("version", [(3, 51, 2), (3, 51, 1), (3, 50, 6), (3, 45, 0), (3, 44, 5), (3, 40, 1)])
def test_a_sqlite_that_can_lose_a_commit_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(Failure, match="STORE-OLD-SQLITE"):
        check_sqlite(version)


def test_the_library_that_is_linked_here_is_accepted() -> None:
    check_sqlite()
