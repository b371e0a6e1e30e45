"""The simulated SDT reader as IT starts it, and that it insists on the order as a real one does."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, cast

import pytest
from card_events import Events
from sdt_lines import quick_reader

from clerk_app.desk.ports import ReaderState
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt.frames import encode
from clerk_app.devices.card.sdt.peer import pty_peer, tcp_peer
from clerk_app.devices.card.sdt.simulator import FIND, READ, READ_ADDRESS, SELECT, SdtModule, main

CARDS = sample_cards()


def ask(module: SdtModule, request: bytes) -> int:
    """The code of the answer."""
    return b"".join(module.receive(encode(request)))[9]


def test_the_order_is_insisted_on() -> None:
    module = SdtModule()
    module.lay(CARDS["resident"].chip)

    assert [ask(module, request) for request in (READ, SELECT, FIND, READ, SELECT, READ, READ_ADDRESS)] == [
        *(0x41, 0x81, 0x9F),
        *(0x41, 0x90, 0x90, 0x91),
    ]
    assert ask(module, b"\x77\x77") == 0x21


def test_a_card_is_found_once_until_it_is_lifted() -> None:
    module = SdtModule(finds_again=False)
    module.lay(CARDS["resident"].chip)
    for _ in range(2):
        assert [ask(module, request) for request in (FIND, FIND, SELECT, READ, FIND)] == [
            *(0x9F, 0x9F, 0x90, 0x90),
            0x80,
        ]
        module.take()
        assert ask(module, FIND) == 0x80
        module.lay(CARDS["resident"].chip)


@pytest.mark.parametrize("line", ["--tcp=0", "--pty"])
def test_a_program_of_its_own(line: str, events: Events) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "clerk_app.devices.card.sdt.simulator", line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        out, orders = cast(IO[str], process.stdout), cast(IO[str], process.stdin)
        url = out.readline().split('"')[1]
        assert "resident" in out.readline()
        reader = quick_reader(url)
        reader.start(events)
        assert events.state() is ReaderState.EMPTY
        orders.write("lay resident\n")
        orders.flush()
        assert events.record() == CARDS["resident"].record
        assert events.state() is ReaderState.PRESENT
        orders.write("take\n")
        orders.flush()
        assert events.state() is ReaderState.EMPTY
        reader.stop()
        orders.close()
        assert process.wait(10) == 0


def test_its_orders() -> None:
    out = io.StringIO()

    assert main(["--tcp", "0", "--once"], io.StringIO("lay nobody\n\nquit\nlay resident\n"), out) == 0
    assert out.getvalue().splitlines()[2:] == ["? lay CARD, take, quit"]


def test_whoever_goes_away_in_the_middle_does_not_end_it(events: Events) -> None:
    module = SdtModule()
    from clerk_app.devices.card.sdt.peer import tcp_peer

    with tcp_peer(module) as url:
        port = int(url.rpartition(":")[2])
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port)) as rude:
                rude.sendall(encode(FIND) * 100)
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        reader = quick_reader(url)
        reader.start(events)
        assert events.state() is ReaderState.EMPTY
        reader.stop()


def test_nothing_is_left_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for made in (pty_peer, tcp_peer) * 3:
        with made(SdtModule()):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
