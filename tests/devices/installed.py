"""A package of a hall's own, installed in a folder of the test: a module and its entry points."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def install(
    monkeypatch: pytest.MonkeyPatch, folder: Path, module: str, source: str, **points: dict[str, str]
) -> None:
    """Put `module` with `source` on the path; `points` are its entry points by group, `__` for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    lines: list[str] = []
    for group, entries in points.items():
        lines += [f"[{group.replace('__', '.')}]", *(f"{name} = {at}" for name, at in entries.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.syspath_prepend(folder)
