"""Anki's own sync server and client, with the records of a file as notes. Runs in Anki's environment.

    python anki_sync.py RECORDS.jsonl RUNS CHANGES

Prints one line of JSON: lists of milliseconds for "full" (an empty collection gets everything), "delta"
(CHANGES notes changed elsewhere arrive) and "same" (nothing to do), and "records".
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from anki.collection import AddNoteRequest, Collection
from anki.sync_pb2 import SyncAuth

USER, PASSWORD = "bench", "bench-only"


def main(records: Path, runs: int, changes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = _free_port()
        settings = {
            "SYNC_USER1": f"{USER}:{PASSWORD}",
            "SYNC_BASE": str(folder / "server"),
            "SYNC_HOST": "127.0.0.1",
            "SYNC_PORT": str(port),
        }
        command = [sys.executable, "-m", "anki.syncserver"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen(command, env=os.environ | settings, **quiet)
        try:
            _reachable(port)
            print(json.dumps(_measure(folder, f"http://127.0.0.1:{port}/", records, runs, changes)))
        finally:
            server.terminate()
            server.wait(10)


def _measure(folder: Path, url: str, records: Path, runs: int, changes: int) -> dict[str, object]:
    first = Collection(str(folder / "first.anki2"))
    auth = first.sync_login(USER, PASSWORD, url)
    count = _fill(first, records)
    first.close_for_full_sync()
    first.full_upload_or_download(auth=auth, server_usn=None, upload=True)
    first.reopen(after_full_sync=True)

    full: list[float] = []
    second = None
    for turn in range(runs):
        if second is not None:
            second.close()
        second = Collection(str(folder / f"second-{turn}.anki2"))
        full.append(_timed(lambda col=second: _download(col, auth)))
        assert second.note_count() == count
    assert second is not None

    delta, same = [], []
    for turn in range(runs):
        notes = [first.get_note(note) for note in first.find_notes("")[:changes]]
        for note in notes:
            note.fields[1] += f" {turn}"
        first.update_notes(notes)
        first.sync_collection(auth, sync_media=False)
        delta.append(_timed(lambda: second.sync_collection(auth, sync_media=False)))
        same.append(_timed(lambda: second.sync_collection(auth, sync_media=False)))
    first.close()
    second.close()
    return {"full": full, "delta": delta, "same": same, "records": count}


def _fill(col: Collection, records: Path) -> int:
    model = col.models.by_name("Basic")
    deck = col.decks.id("items")
    wanted = []
    with records.open(encoding="utf-8") as lines:
        for line in lines:
            note = col.new_note(model)
            key, content = line.rstrip("\n").split("\t", 1)
            note.fields = [key, content]
            wanted.append(AddNoteRequest(note, deck))
    col.add_notes(wanted)
    return len(wanted)


def _download(col: Collection, auth: SyncAuth) -> None:
    col.close_for_full_sync()
    col.full_upload_or_download(auth=auth, server_usn=None, upload=False)
    col.reopen(after_full_sync=True)


def _timed(work: object) -> float:
    begun = time.perf_counter()
    work()  # type: ignore[operator]
    return (time.perf_counter() - begun) * 1000


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _reachable(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("Anki's sync server did not start")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
