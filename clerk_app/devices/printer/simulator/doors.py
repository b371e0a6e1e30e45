"""The ways into the simulated printer: a TCP port, or a pseudo-terminal that stands for a serial port."""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Protocol

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of no time: the peer sees a reset, not an end


class Client(Protocol):
    """Whoever is connected. Raises OSError when they have gone."""

    def fileno(self) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...

    def close(self) -> None: ...


class Door(Protocol):
    """Where clients come in, one at a time."""

    @property
    def url(self) -> str: ...

    def open(self, *, refuse: bool) -> None:
        """Open, or be there without letting anybody in. Raises OSError when the place is taken."""

    def fileno(self) -> int:
        """What becomes readable when somebody knocks; -1 while nobody is let in."""

    def accept(self) -> Client: ...

    def throw_out(self, client: Client) -> None:
        """End the connection rudely: the other side sees it broken."""

    def close(self) -> None: ...


class TcpDoor:
    """`port` 0 becomes any free one when first opened, and stays that one."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self.port = host, port
        self._door: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"tcp://{self._host}:{self.port}"

    def open(self, *, refuse: bool) -> None:
        """An open door stays open: whoever waits behind it for their turn is not sent away."""
        if self._door is not None and not refuse:
            return
        self.close()
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if sys.platform != "win32":  # there the option means "steal the port"
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((self._host, self.port))
            self.port = door.getsockname()[1]
            if not refuse:
                door.listen()
        except OSError:
            door.close()
            raise
        if refuse:
            door.close()
        else:
            self._door = door

    def fileno(self) -> int:
        return self._door.fileno() if self._door else -1

    def accept(self) -> socket.socket:
        assert self._door is not None
        return self._door.accept()[0]

    def throw_out(self, client: Client) -> None:
        assert isinstance(client, socket.socket)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        client.close()

    def close(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None


class _Cable:
    """The far end of a pseudo-terminal, which belongs to its door."""

    def __init__(self, end: int) -> None:
        self._end = end

    def fileno(self) -> int:
        return self._end

    def recv(self, size: int, /) -> bytes:
        return os.read(self._end, size)

    def sendall(self, data: bytes, /) -> None:
        """What does not fit because nobody listens is lost, as on a cable."""
        os.write(self._end, data)

    def close(self) -> None:
        """The door closes it."""


class PtyDoor:
    """A serial port made of software (Linux): whoever opens `path` is the client, and a cable never hangs up.

    The near end of the terminal is kept open here too, so that the far one survives its users.
    """

    def __init__(self) -> None:
        self._far, self._near = -1, -1
        self.path = ""
        self._taken = False

    @property
    def url(self) -> str:
        return f"serial://{self.path}?baud=115200&flow=none"

    def open(self, *, refuse: bool) -> None:
        import pty
        import tty

        if refuse:
            raise OSError("a serial port cannot refuse")
        if self._far < 0:
            self._taken = False
            self._far, self._near = pty.openpty()
            tty.setraw(self._near)
            os.set_blocking(self._far, False)
            self.path = os.ttyname(self._near)

    def fileno(self) -> int:
        return -1 if self._taken else self._far

    def accept(self) -> Client:
        self._taken = True
        return _Cable(self._far)

    def throw_out(self, client: Client) -> None:
        """The printer's cable is pulled: both ends break."""
        self.close()

    def close(self) -> None:
        for end in (self._near, self._far):
            if end >= 0:
                os.close(end)
        self._far, self._near = -1, -1
