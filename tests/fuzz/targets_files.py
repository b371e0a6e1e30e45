"""Files that people write or that lie on the disk: catalogues to import, the settings, item changes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import tomllib
from pathlib import Path

from clerk_app import settings
from clerk_app.catalogue import changes, records

_FOLDER = Path(tempfile.mkdtemp(prefix="clerk-app-fuzz-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def _file(name: str, data: bytes) -> Path:
    path = _FOLDER / name
    path.write_bytes(data)
    return path


def fuzz_import_jsonl(data: bytes) -> None:
    """No content raises: a bad row is left out and listed."""
    records.read_jsonl(_file("catalogue.jsonl", data))


def fuzz_import_table(data: bytes) -> None:
    records.read_csv(_file("catalogue.csv", data))


def fuzz_settings(data: bytes) -> None:
    """What is understood is written back as it was meant."""
    _file(settings.FILE, data)
    told = settings.load(_FOLDER)
    settings.save(told)
    written = (_FOLDER / settings.FILE).read_text(encoding="utf-8")
    assert repr(settings._read(_FOLDER, tomllib.loads(written))) == repr(told)


def fuzz_item_changes(data: bytes) -> None:
    changes.read_changes(_file("catalogue.db.changes", data).with_suffix(""))
