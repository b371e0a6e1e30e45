"""The simulated printer by hand, every slip saved as a picture and a text.

python -m clerk_app.devices.printer.simulator --port 9100 --out DIR
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from clerk_app.devices.printer.layout import ROLLS
from clerk_app.devices.printer.simulator.paper import Paper
from clerk_app.devices.printer.simulator.printer import SimulatedPrinter


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl+C, saving every slip as it is cut."""
    parser = argparse.ArgumentParser(prog="clerk_app.devices.printer.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--width", type=int, choices=sorted(ROLLS), default=80)
    parser.add_argument("--charset", choices=("gb18030", "gbk", "gb2312", "utf8", "none"), default="gb18030")
    parser.add_argument("--serial", action="store_true", help="a pseudo-terminal instead of the port")
    parser.add_argument("--out", type=Path, required=True, help="directory for the pictures and texts")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    count = 0

    def keep(paper: Paper) -> None:
        nonlocal count
        count += 1
        path = options.out / f"slip-{count:03d}.png"
        paper.save(path)
        sys.stdout.write(f"{path}\n")
        sys.stdout.flush()

    printer = SimulatedPrinter(
        width=options.width,
        charset=options.charset,
        host=options.host,
        port=options.port,
        listener=keep,
        serial=options.serial,
    ).start()
    sys.stdout.write(f"{printer.url}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    finally:
        printer.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
