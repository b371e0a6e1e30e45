"""The peers of the sync, run from their own packages: what they need is fetched into `build/peers` once.

Neither is part of the product: Anki comes from its Python package, PouchDB from npm. A machine without Node
measures without PouchDB and says so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ANKI = "anki==26.9.3"
POUCH = ("pouchdb@9.0.0", "express-pouchdb@4.2.0", "express@4.22.1")

_HERE = Path(__file__).parent
_FETCHED = _HERE.parents[1] / "build" / "peers"


@dataclass(frozen=True, slots=True)
class Peer:
    """Milliseconds of each run: everything into an empty client, some changes, and nothing to do."""

    full: list[float]
    delta: list[float]
    same: list[float]
    records: int


def anki(records: Path, runs: int, changes: int) -> Peer:
    """Anki's sync server and client with the lines `key<TAB>content` of `records` as notes."""
    folder = _FETCHED / "anki"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", ANKI], check=True, stdout=sys.stderr)
    return _run([str(python), str(_HERE / "anki_sync.py"), str(records), str(runs), str(changes)])


def pouch(records: Path, changes: int) -> Peer | None:
    """PouchDB replicating from express-pouchdb, one run; None on a machine without Node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    folder = _FETCHED / "pouch"
    if not (folder / "node_modules" / "express-pouchdb").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        install = [npm, "install", "--no-audit", "--no-fund", "--silent", *POUCH]
        subprocess.run(install, cwd=folder, check=True, stdout=sys.stderr)
    return _run(
        [node, str(_HERE / "pouch_sync.js"), str(records), str(changes)], NODE_PATH=f"{folder}/node_modules"
    )


def _run(command: list[str], **environment: str) -> Peer:
    done = subprocess.run(
        command, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return Peer(**json.loads(done.stdout.splitlines()[-1]))
