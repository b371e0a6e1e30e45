"""Runs inside the namespaces of `pcscd.py`: pcscd with its virtual reader, and the cards laid on it.

Started by `unshare`. Each line of standard input is an order in JSON and is answered by one line; the process
ends, and pcscd with it, when standard input closes.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from clerk_app.devices.card.chips import Chip, SocialSecurityChip, StorageChip

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
FIRST_PORT = 0x8C7B  # of the Debian configuration of vpcd; each slot has the next
RESET, GET_ATR = 2, 4  # of vpcd; messages of one byte are its own, longer ones are for the card

RUN = Path("/run/pcscd")
SOCKET = RUN / "pcscd.comm"
READERS = Path("/etc/reader.conf.d")
NO_READERS = RUN / "no-readers"
pcscd: list[subprocess.Popen[str]] = []
cards: dict[int, Card] = {}


class Card:
    """A card in one slot of the virtual reader: connecting lays it, closing takes it.

    `faults` say what happens at a command with those P1 P2 (of an identity card the byte offset): "pull"
    closes, "hang" never answers, anything else is the hex answer given there. A reset cures them.
    """

    def __init__(self, slot: int, atr: str, chip: Chip, faults: dict[str, str]) -> None:
        self._atr = bytes.fromhex(atr)
        self._chip = chip
        self._faults = {int(offset): fault for offset, fault in faults.items()}
        self._socket = socket.create_connection(("127.0.0.1", FIRST_PORT + slot))
        threading.Thread(target=self._serve, daemon=True).start()

    def take(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            if error.errno != 107:  # taken already, by a fault
                raise
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                message = self._receive(struct.unpack(">H", self._receive(2))[0])
                if len(message) == 1:
                    if message[0] == GET_ATR:
                        self._answer(self._atr)
                    elif message[0] == RESET:
                        self._faults.clear()
                elif (fault := self._faults.get(int.from_bytes(message[2:4], "big"))) == "pull":
                    self._socket.shutdown(socket.SHUT_RDWR)
                    return
                elif fault != "hang":
                    self._answer(self._chip.transmit(message) if fault is None else bytes.fromhex(fault))
            except OSError:
                return  # taken, or pcscd has gone

    def _answer(self, data: bytes) -> None:
        self._socket.sendall(struct.pack(">H", len(data)) + data)

    def _receive(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            chunk = self._socket.recv(length - len(data))
            if not chunk:
                raise ConnectionResetError
            data += chunk
        return data


def start(readers: bool, configuration: str | None = None) -> None:
    """Start pcscd, with the two readers, with none or with those of a folder; return when it is ready.

    Its socket is handed to it listening, as systemd does: it says that it is ready before it would listen.
    """
    NO_READERS.mkdir(parents=True, exist_ok=True)
    SOCKET.unlink(missing_ok=True)
    configuration = configuration or str(READERS if readers else NO_READERS)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(SOCKET))
        listening.listen()
        pcscd_command = f"exec pcscd --foreground --info --config {configuration}"
        command = f"LISTEN_FDS=1 LISTEN_PID=$$ {pcscd_command} 3<&{listening.fileno()}"
        process = subprocess.Popen(
            # The child must not outlive this process, whatever ends it.
            ["setpriv", "--pdeathsig", "KILL", "bash", "-c", command],
            pass_fds=[listening.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    pcscd.append(process)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "daemon ready" in line:
            threading.Thread(target=process.stdout.read, daemon=True).start()  # keep its pipe from filling
            return
    raise RuntimeError("pcscd did not start:\n" + "".join(said))


def kill() -> None:
    process = pcscd.pop()
    process.kill()
    process.wait()
    for slot in list(cards):
        take(slot)


def freeze(frozen: bool) -> None:
    pcscd[-1].send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


def lay(
    slot: int, atr: str, content: str, plays: dict[str, str | bool] | None, faults: dict[str, str]
) -> None:
    """Lay an identity card, or a social security card that `plays` in the way of these arguments."""
    held = bytes.fromhex(content)
    chip = StorageChip(held) if plays is None else SocialSecurityChip(held, **plays)  # type: ignore[arg-type]
    cards[slot] = Card(slot, atr, chip, faults)


def take(slot: int) -> None:
    cards.pop(slot).take()


ORDERS: dict[str, Callable[..., None]] = {
    "start": start,
    "kill": kill,
    "freeze": freeze,
    "lay": lay,
    "take": take,
}


def isolate() -> None:
    """A /run and a loopback of our own: another pcscd of this machine is neither seen nor disturbed."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo".ljust(16, b"\0")
        answer = fcntl.ioctl(control, SIOCGIFFLAGS, name + bytes(24))
        flags = struct.unpack_from("H", answer, 16)[0] | IFF_UP
        fcntl.ioctl(control, SIOCSIFFLAGS, name + struct.pack("H22x", flags))


def main() -> None:
    isolate()
    print(json.dumps({"pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            ORDERS[order.pop("order")](**order)
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
        else:
            print(json.dumps({}), flush=True)
    while pcscd:
        process = pcscd.pop()
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
