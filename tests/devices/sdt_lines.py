"""A simulated SDT reader on each of its lines, and the citizen's hand that lays cards on it."""

from __future__ import annotations

import atexit
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from pcscd import Bench

from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt.lines import port
from clerk_app.devices.card.sdt.peer import pty_peer, served, tcp_peer
from clerk_app.devices.card.sdt.reader import SdtReader
from clerk_app.devices.card.sdt.simulator import READ, Fault, SdtModule

CARDS = sample_cards()
TUNNEL_READER = "Hall SDT 00 00"
LINES = ("sdt-serial", "sdt-tcp", "sdt-tunnel")
_WRONG_LENGTH_OF_INFORMATION = 0x3F


@contextmanager
def tunnel_peer(module: SdtModule, bench: Bench) -> Iterator[str]:
    """The reader behind pcscd: a driver of the tests carries its control code to a socket."""
    driver = built_driver()
    folder = Path(tempfile.mkdtemp(prefix="clerk-app-sdt-"))
    readers = folder / "readers"
    readers.mkdir()
    way = folder / "reader"
    (readers / "sdt").write_text(
        f'FRIENDLYNAME "Hall SDT"\nDEVICENAME {way}\nLIBPATH {driver}\nCHANNELID 1\n', encoding="utf-8"
    )
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(way))
            listening.listen()
            with served(module, listening):
                bench.start(configuration=readers)
                try:
                    yield "pcsc://Hall SDT"
                finally:
                    bench.kill()
    finally:
        shutil.rmtree(folder)


@cache
def built_driver() -> Path:
    """The compiled driver. Raises RuntimeError saying what is missing."""
    folder = Path(tempfile.mkdtemp(prefix="clerk-app-sdt-driver-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, built = Path(__file__).parent / "ifd" / "sdt_tunnel.c", folder / "sdt_tunnel.so"
    compiler = ["gcc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I/usr/include/PCSC"]
    try:
        subprocess.run([*compiler, "-o", str(built), str(source)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError("the tests' reader driver needs gcc and libpcsclite-dev") from error
    return built


@contextmanager
def peer(line: str, module: SdtModule, bench: Bench | None = None) -> Iterator[str]:
    """The reader on `line`, one of LINES; gives its URL."""
    if line == "sdt-tunnel":
        assert bench is not None
        made = tunnel_peer(module, bench)
    else:
        made = pty_peer(module) if line == "sdt-serial" else tcp_peer(module)
    with made as url:
        yield url


def quick_reader(url: str, **options: bool) -> SdtReader:
    """A reader that looks often and does not wait long for one that has gone."""
    return SdtReader(port(url), poll=0.02, backoff=(0.05, 0.2), **options)


class SdtHand:
    """The citizen's hand at an SDT reader."""

    def __init__(self, module: SdtModule, url: str) -> None:
        self._module = module
        self.reader = quick_reader(url)
        self.take = module.take

    def lay(self, card_id: str) -> None:
        self._module.lay(CARDS[card_id].chip)

    def lay_and_pull(self, card_id: str) -> None:
        self._module.fail(READ, Fault.PULLED)
        self.lay(card_id)

    def lay_dirty(self, card_id: str) -> None:
        self._module.fail(READ, _WRONG_LENGTH_OF_INFORMATION, times=0)
        self.lay(card_id)
