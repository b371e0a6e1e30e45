"""The lines to SDT readers: addresses, what is not there, what goes away, what hangs."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest
import sdt_lines
from pcscd import Bench
from smartcard import scard

from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.sdt import tunnel
from clerk_app.devices.card.sdt.exchange import FIND, Talk, Wanted, read_found
from clerk_app.devices.card.sdt.lines import Line, Port, TcpLine, open_line, port
from clerk_app.devices.card.sdt.peer import pty_peer, tcp_peer
from clerk_app.devices.card.sdt.simulator import FIND as FIND_REQUEST
from clerk_app.devices.card.sdt.simulator import READ, Fault, SdtModule
from clerk_app.failures import Failure

RESIDENT = sample_cards()["resident"]


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("serial:///dev/ttyUSB0", Port("serial", "serial:///dev/ttyUSB0", "/dev/ttyUSB0", 115200)),
        ("serial://COM3?baud=9600", Port("serial", "serial://COM3", "COM3", 9600)),
        ("tcp://192.0.2.7:8000", Port("tcp", "tcp://192.0.2.7:8000", "192.0.2.7", 8000)),
        ("tcp://[::1]:8000", Port("tcp", "tcp://[::1]:8000", "::1", 8000)),
        ("pcsc://ACS ACR [PICC] 00", Port("pcsc", "pcsc://ACS ACR [PICC] 00", "ACS ACR [PICC] 00", 0)),
        ("pcsc://Hall%20IDR?code=0xDAC", Port("pcsc", "pcsc://Hall IDR", "Hall IDR", 3500)),
    ],
)
def test_addresses(url: str, where: Port) -> None:
    assert port(url) == where


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/dev/ttyUSB0", "must begin with"),
        ("usb://0400:c35a", "must begin with"),
        ("serial://", "names no reader"),
        ("serial:///dev/ttyS0?baud=1200", "baud must be one of"),
        ("serial:///dev/ttyS0?baud=fast", "baud must be a number"),
        ("serial:///dev/ttyS0?parity=even", "unknown option parity"),
        ("tcp://192.0.2.7", "must be tcp://host:port"),
        ("tcp://192.0.2.7:http", "must be tcp://host:port"),
        ("tcp://user@192.0.2.7:80", "must be tcp://host:port"),
        ("tcp://192.0.2.7:8000/x", "must be tcp://host:port"),
        ("tcp://[::1:8000", "must be tcp://host:port"),
        ("pcsc://Hall?code=x", "code must be a number"),
    ],
)
def test_addresses_that_are_none(url: str, said: str) -> None:
    with pytest.raises(Failure, match=f"SETTINGS-INVALID: reader.port .*{said}"):
        port(url)


@pytest.fixture
def module() -> SdtModule:
    return SdtModule()


ON_LINES = [pytest.param(line, marks=[pytest.mark.pcsc] * (line == "sdt-tunnel")) for line in sdt_lines.LINES]


@pytest.fixture(params=ON_LINES)
def line(request: pytest.FixtureRequest, module: SdtModule) -> Iterator[Line]:
    bench = request.getfixturevalue("card_bench") if request.param == "sdt-tunnel" else None
    with sdt_lines.peer(request.param, module, bench) as url:
        made = open_line(port(url))
        yield made
        made.close()


@pytest.mark.parametrize(
    "fault", [Fault.NOISE, Fault.CHECK, Fault.CUT_OFF, Fault.TOO_LONG, Fault.SILENCE, Fault.TIME_OUT, 0x10]
)
def test_a_disturbance_on_the_line_is_read_over(line: Line, module: SdtModule, fault: Fault | int) -> None:
    module.lay(RESIDENT.chip)
    talk = Talk(line)
    module.fail(READ, fault)

    assert talk.find()
    assert read_found(talk, Wanted())[1] == RESIDENT.record


def test_silence_on_the_line(line: Line, module: SdtModule) -> None:
    module.fail(FIND_REQUEST, Fault.SILENCE)

    with pytest.raises(Failure, match="CARD-TIMEOUT"):
        Talk(line).ask(FIND)
    assert not Talk(line).find()


def test_a_serial_port_that_is_not_there() -> None:
    with pytest.raises(Failure, match="CARD-NO-READER"):
        open_line(port("serial:///dev/no-such-port"))


def test_a_serial_port_held_by_another_program(module: SdtModule) -> None:
    with pty_peer(module) as url:
        held = open_line(port(url))
        with pytest.raises(Failure, match="CARD-BUSY"):
            open_line(port(url))
        held.close()
        open_line(port(url)).close()


def test_a_serial_port_that_is_pulled_out(module: SdtModule) -> None:
    with pty_peer(module) as url:
        line = open_line(port(url))
        assert not Talk(line).find()

    for use in (lambda: line.read(0.1), lambda: line.write(b"x"), line.discard):
        with pytest.raises(Failure, match="CARD-NO-READER"):
            use()
    line.close()


def test_a_serial_port_that_takes_nothing(module: SdtModule, monkeypatch: pytest.MonkeyPatch) -> None:
    with pty_peer(module) as url:
        line = open_line(port(url))
        from serial import Serial, SerialTimeoutException

        def write(_: Serial, __: bytes) -> None:
            raise SerialTimeoutException

        monkeypatch.setattr(Serial, "write", write)
        with pytest.raises(Failure, match="CARD-LINE"):
            line.write(b"x")
        line.close()


def test_a_host_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    with pytest.raises(Failure, match="CARD-NO-READER"):
        open_line(port(f"tcp://127.0.0.1:{number}"))


def test_a_connection_that_ends(module: SdtModule) -> None:
    with tcp_peer(module) as url:
        line = open_line(port(url))
        assert not Talk(line).find()

    with pytest.raises(Failure, match="CARD-NO-READER"):
        line.read(1)
    line.close()
    for use in (lambda: line.read(0.1), lambda: line.write(b"x"), line.discard):
        with pytest.raises(Failure, match="CARD-NO-READER"):
            use()


def test_a_connection_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clerk_app.devices.card.sdt.lines._WRITE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = TcpLine("127.0.0.1", listening.getsockname()[1])
        with pytest.raises(Failure, match="CARD-LINE"):
            line.write(bytes(50_000_000))
        line.close()


def test_a_connection_that_chatters_is_not_emptied_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = TcpLine("127.0.0.1", listening.getsockname()[1])
        chatter, _ = listening.accept()
        chatter.sendall(bytes(16 * 4096 + 10))
        got = 0
        line.discard()
        while got < 10 and (data := line.read(1)):
            got += len(data)
        assert got >= 10
        line.close()
        chatter.close()


@pytest.mark.pcsc
def test_no_pcsc_reader_of_that_name(card_bench: Bench, module: SdtModule) -> None:
    with sdt_lines.tunnel_peer(module, card_bench), pytest.raises(Failure, match="CARD-NO-READER"):
        open_line(port("pcsc://Somebody Else"))


@pytest.mark.pcsc
def test_no_pcsc_service(card_bench: Bench, module: SdtModule) -> None:
    with sdt_lines.tunnel_peer(module, card_bench) as url:
        line = open_line(port(url))
    with pytest.raises(Failure, match="CARD-SERVICE-LOST"):
        line.write(b"x")
    line.close()
    with pytest.raises(Failure, match="CARD-SERVICE-LOST"):
        open_line(port(url))


@pytest.mark.pcsc
def test_a_driver_that_refuses_the_control_code(card_bench: Bench, module: SdtModule) -> None:
    with sdt_lines.tunnel_peer(module, card_bench) as url:
        line = open_line(port(f"{url}?code=2"))
        with pytest.raises(Failure, match="CARD-ESCAPE"):
            line.write(b"x")
        line.close()


@pytest.mark.pcsc
def test_a_driver_that_cuts_long_answers_off_is_told_with_the_bytes(
    card_bench: Bench, module: SdtModule
) -> None:
    with sdt_lines.tunnel_peer(module, card_bench) as url:
        line = open_line(port(url))
        module.lay(RESIDENT.chip)
        talk = Talk(line)
        module.fail(READ, Fault.CUT_OFF, times=2)
        assert talk.find()
        with pytest.raises(Failure, match=r"CARD-LINE.*gave 648 of 1295 bytes"):
            read_found(talk, Wanted())
        assert talk.find()
        line.close()


@pytest.mark.pcsc
def test_a_virtual_reader_forwards_no_control_code(pcscd: Bench) -> None:
    line = open_line(port("pcsc://Virtual PCD 00 00"))
    with pytest.raises(Failure, match="CARD-ESCAPE"):
        Talk(line).find()
    line.close()


def test_the_usual_control_codes() -> None:
    assert (3500 if sys.platform == "win32" else 1) == tunnel.USUAL_CODE


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (scard.SCARD_E_SHARING_VIOLATION, "CARD-BUSY"),
        (scard.SCARD_E_READER_UNAVAILABLE, "CARD-NO-READER"),
        (scard.SCARD_E_NOT_TRANSACTED, "CARD-TIMEOUT"),
        (scard.SCARD_E_NO_MEMORY, "CARD-READER-ERROR"),
    ],
)
def test_what_pcsc_says(code: int, failure: str) -> None:
    assert tunnel._explained(code).code == failure
