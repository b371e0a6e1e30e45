"""Fault 6, the power fails: what a kill cannot show, because the operating system keeps what was written.

A preloaded library notes everything the program asks of the disk, in order. A test then stops the disk at a
moment of its choice: what was synced is there; of the rest nothing, or some pieces in any order, one of them
torn. Names count as written with their file or with their folder, as ext4 and xfs have it. A disk that lies
about its own cache is beyond any program.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey

HERE = Path(__file__).parent
KEY = bytes(range(32))
CASES = 150  # past the first copying of the log into the database
CUTS = 40
SECTOR = 512
_HEAD = struct.Struct("<cHQQ")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="preloading a library is Linux's way")


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing the disk was asked for; see journal.c."""

    what: str
    path: str
    at: int
    data: bytes


@dataclass(eq=False)
class File:
    there: bytearray = field(default_factory=bytearray)  # what an fsync brought to the disk
    waiting: list[Asked] = field(default_factory=list)

    def sync(self) -> None:
        for asked in self.waiting:
            _do(self.there, asked)
        self.waiting.clear()

    def after_the_cut(self, chance: random.Random | None) -> bytes:
        """Without `chance` nothing that waited; with it some, in any order, one perhaps torn."""
        found = bytearray(self.there)
        if chance is not None:
            kept = [asked for asked in self.waiting if chance.random() < 0.5]
            chance.shuffle(kept)
            for asked in kept:
                torn = chance.randrange(0, len(asked.data) + 1, SECTOR) if chance.random() < 0.1 else None
                _do(found, asked, torn)
        return bytes(found)


class Disk:
    """Files by name, as the program sees them and as they would be found."""

    def __init__(self) -> None:
        self._seen: dict[str, File] = {}
        self._kept: dict[str, File] = {}

    def ask(self, asked: Asked) -> None:
        match asked.what:
            case "w" | "t":
                self._seen.setdefault(asked.path, File()).waiting.append(asked)
            case "s" if asked.path in self._seen:
                self._seen[asked.path].sync()
                self._kept[asked.path] = self._seen[asked.path]
            case "s":  # a folder
                inside = f"{asked.path}/"
                self._kept = {n: f for n, f in self._kept.items() if not n.startswith(inside)}
                self._kept |= {n: f for n, f in self._seen.items() if n.startswith(inside)}
            case "u":
                self._seen.pop(asked.path, None)
            case "r" if asked.path in self._seen:
                self._seen[asked.data.decode()] = self._seen.pop(asked.path)

    def found(self, chance: random.Random | None) -> dict[str, bytes]:
        """What lies there when the power is back."""
        files = dict(self._kept)
        if chance is not None:
            for name in {*self._seen, *self._kept}:
                if self._seen.get(name) is not self._kept.get(name) and chance.random() < 0.5:
                    files.pop(name, None)
                    if name in self._seen:
                        files[name] = self._seen[name]
        return {name: file.after_the_cut(chance) for name, file in files.items()}


def _do(content: bytearray, asked: Asked, torn: int | None = None) -> None:
    data = asked.data if torn is None else asked.data[:torn]
    if asked.what == "t":
        del content[asked.at :]
        content.extend(bytes(asked.at - len(content)))
        return
    content.extend(bytes(max(0, asked.at + len(data) - len(content))))
    content[asked.at : asked.at + len(data)] = data


def _read(journal: Path) -> Iterator[Asked]:
    told, at = journal.read_bytes(), 0
    while at < len(told):
        what, name, offset, length = _HEAD.unpack_from(told, at)
        at += _HEAD.size
        path = told[at : at + name].decode()
        at += name
        yield Asked(what.decode(), path, offset, told[at : at + length])
        at += length


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Asked]]:
    """A window that filed cases: its folder, and all it asked of the disk."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing: apt-get install gcc libc6-dev")
    room = tmp_path_factory.mktemp("power")
    library, folder, journal = room / "journal.so", room / "window", room / "journal"
    build = ["gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", str(library)]
    subprocess.run([*build, str(HERE / "power" / "journal.c"), "-ldl"], check=True)
    folder.mkdir()
    environment = {
        "LD_PRELOAD": str(library),
        "POWER_FOLDER": str(folder),
        "POWER_JOURNAL": str(journal),
        "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)]),
    }
    child = [sys.executable, str(HERE / "power_child.py"), str(folder), KEY.hex(), str(CASES)]
    subprocess.run(child, env=os.environ | environment, check=True, timeout=120)
    return folder, list(_read(journal))


def _told(asked: list[Asked]) -> list[str]:
    """The numbers that had been given to citizens."""
    return [each.data.decode().strip() for each in asked if each.path.endswith("/told") and each.what == "w"]


def _checked(found: dict[str, bytes], before: Path, folder: Path, numbers: list[str]) -> None:
    """The window opens on what was found, and everything it had said is so."""
    for name, content in found.items():
        file = folder / Path(name).relative_to(before)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    store = SqlStore.open(folder / "cache", GivenKey(KEY))  # verifies every page
    try:
        cases = store.read(lambda tx: tx.cases.recent(10_000))
        there = {case.number for case in cases}
        assert set(numbers) <= there
        assert len(there) - len(numbers) <= 1  # committed, and not yet said
        commands = store.read(lambda tx: tx.outbox.since(0, 10_000))
        assert {command.aggregate for command in commands} == {case.id for case in cases}
        assert [command.seq for command in commands] == list(range(1, len(cases) + 1))
        assert store.read(lambda tx: tx.audit.verify()) == len(cases)
    finally:
        store.close()


def _cuts(asked: list[Asked], seed: int) -> list[int]:
    """Half of them anywhere, half while the log is being copied into the database, which is rare."""
    chance = random.Random(seed)
    copying = [n for n, each in enumerate(asked) if each.what == "w" and each.path.endswith("/cache.db")]
    return sorted({*chance.sample(range(1, len(asked)), CUTS // 2), *chance.sample(copying, CUTS // 2)})


@pytest.mark.parametrize("kept", ["nothing unsynced", "some of it"])
def test_fault_06_when_the_power_fails_everything_said_is_there(
    lived: tuple[Path, list[Asked]], tmp_path: Path, kept: str
) -> None:
    before, asked = lived
    assert len(_told(asked)) == CASES
    seed = random.SystemRandom().randrange(1 << 31)
    print(f"seed {seed}")
    disk, cuts = Disk(), _cuts(asked, seed)
    for place, each in enumerate(asked):
        if place in cuts:
            chance = random.Random(seed + place) if kept == "some of it" else None
            _checked(disk.found(chance), before, tmp_path / str(place), _told(asked[:place]))
            shutil.rmtree(tmp_path / str(place))
        disk.ask(each)


def test_the_loss_is_seen_where_nothing_is_synced(lived: tuple[Path, list[Asked]], tmp_path: Path) -> None:
    """The test bites: the same window on a disk that never syncs loses cases it had told people of."""
    before, asked = lived
    disk = Disk()
    for each in asked[: len(asked) * 3 // 4]:
        if each.what != "s" or each.path.endswith((".part", "/cache")):
            disk.ask(each)
    with pytest.raises(AssertionError):
        _checked(disk.found(None), before, tmp_path / "cut", _told(asked[: len(asked) * 3 // 4]))
