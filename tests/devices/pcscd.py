"""A pcscd of the tests' own, with a virtual reader of two slots, in private namespaces.

The PC/SC library of this process is pointed at it through a link, once and before its first call, because the
library remembers the path. No test ever reaches the readers of the machine.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import reduce
from operator import xor
from pathlib import Path
from typing import IO, Any, cast

from clerk_app.devices.card.chips import SOCIAL_SECURITY_ATR

_FOLDER = Path(tempfile.mkdtemp(prefix="clerk-app-pcscd-"))
_LINK = _FOLDER / "pcscd.comm"
os.environ["PCSCLITE_CSOCK_NAME"] = str(_LINK)
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def _atr(mark: bytes) -> str:
    """A well-formed T=1 ATR with eleven historical bytes, the last two `mark`, and its check byte."""
    body = bytes.fromhex("8B8001") + bytes(9) + mark
    return (b"\x3b" + body + bytes((reduce(xor, body),))).hex()


IDENTITY_ATR = _atr(b"\x90\x00")  # bytes 13 and 14 are the reader's mark
BANK_ATR = _atr(b"\x22\x33")
READER = "Virtual PCD 00 00"
SECOND_READER = "Virtual PCD 00 01"
PAGE = 256


class Bench:
    """Orders for the process inside. Raises RuntimeError with what is missing on this machine."""

    def __init__(self) -> None:
        missing = [tool for tool in ("unshare", "setpriv", "pcscd") if shutil.which(tool) is None]
        if not list(Path("/usr/lib/pcsc").rglob("libifdvpcd.so")):
            missing.append("vsmartcard-vpcd")
        if missing:
            raise RuntimeError(f"the PC/SC tests need these packages or tools: {', '.join(missing)}")
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        self._process = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--net",
                *as_root,
                sys.executable,
                str(Path(__file__).parent / "card_bench.py"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        hello = self._out.readline()
        if not hello:
            said = cast(IO[str], self._process.stderr).read()
            raise RuntimeError(f"this account cannot make mount and network namespaces: {said}")
        _LINK.unlink(missing_ok=True)
        _LINK.symlink_to(f"/proc/{json.loads(hello)['pid']}/root/run/pcscd/pcscd.comm")

    @property
    def _out(self) -> IO[str]:
        return cast(IO[str], self._process.stdout)

    def start(self, *, readers: bool = True, configuration: Path | None = None) -> None:
        """Start pcscd, with its two readers, none or those of a folder; returns when it is ready."""
        self._order("start", readers=readers, configuration=configuration and str(configuration))

    def kill(self) -> None:
        """Kill pcscd; cards that lay there are taken."""
        self._order("kill")

    def freeze(self, *, frozen: bool) -> None:
        """Stop pcscd in its tracks, or let it go on."""
        self._order("freeze", frozen=frozen)

    def lay(
        self,
        chip: bytes,
        *,
        slot: int = 0,
        atr: str = IDENTITY_ATR,
        faults: dict[int, str] | None = None,
    ) -> None:
        """Lay an identity card that hands out `chip`; `faults` as in `card_bench.Card`."""
        self._lay(chip, slot=slot, atr=atr, plays=None, faults=faults)

    def lay_social_security(
        self, chip: bytes, *, slot: int = 0, faults: dict[int, str] | None = None, **plays: str | bool
    ) -> None:
        """Lay a contact card that holds these records; `plays` as in `chips.SocialSecurityChip`."""
        self._lay(chip, slot=slot, atr=SOCIAL_SECURITY_ATR.hex(), plays=plays, faults=faults)

    def _lay(self, chip: bytes, *, faults: dict[int, str] | None, **what: Any) -> None:
        named = {str(place): fault for place, fault in (faults or {}).items()}
        self._order("lay", content=chip.hex(), faults=named, **what)

    def take(self, slot: int = 0) -> None:
        self._order("take", slot=slot)

    def close(self) -> None:
        _LINK.unlink(missing_ok=True)
        cast(IO[str], self._process.stdin).close()
        self._process.wait(timeout=10)
        self._out.close()
        cast(IO[str], self._process.stderr).close()

    def _order(self, order: str, **what: Any) -> None:
        stdin = cast(IO[str], self._process.stdin)
        stdin.write(json.dumps({"order": order, **what}) + "\n")
        stdin.flush()
        answer = json.loads(self._out.readline())
        if answer:
            raise RuntimeError(answer["error"])
