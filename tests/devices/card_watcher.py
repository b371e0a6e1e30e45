"""A program that watches the readers and says what happens, one line an event; ends with standard input."""

from __future__ import annotations

import sys

from clerk_app.desk.ports import CardEvent, ReaderStatus
from clerk_app.devices.card.monitor import PcscReader


def say(event: CardEvent) -> None:
    print(event.state if isinstance(event, ReaderStatus) else type(event).__name__, event.reader, flush=True)


if __name__ == "__main__":
    reader = PcscReader(poll=0.2, late=0.3)
    reader.start(say)
    sys.stdin.read()
    reader.stop()
