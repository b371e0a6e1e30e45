"""Settings of one workstation: a TOML file that hall IT writes, with defaults that work.

[office]
url = "https://office.example"        # set by `clerk-app enrol`
ca = "/etc/clerk-app/ca.pem"          # private authority, optional

[printer]
url = "tcp://192.0.2.10:9100"
width = 80                            # paper in millimetres: 80 or 58
encoding = "gb18030"                  # gb18030, gbk or gb2312

[reader]                              # pseudo-APDU table, see docs/devices of your reader
cla = 0xFF

[window]
language = "zh"                       # zh or en
theme = "light"                       # light, dark or contrast
scale = 100                           # 100, 125 or 150
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clerk_app.failures import Failure

FILE = "settings.toml"


@dataclass(frozen=True, slots=True)
class PrinterSettings:
    url: str = ""
    width: int = 80
    encoding: str = "gb18030"


@dataclass(frozen=True, slots=True)
class WindowSettings:
    language: str = "zh"
    theme: str = "light"
    scale: int = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a workstation is told. `folder` holds the encrypted cache, the catalogue and the logs."""

    folder: Path
    office_url: str = ""
    office_ca: str = ""
    printer: PrinterSettings = PrinterSettings()
    reader: Mapping[str, Any] = field(default_factory=dict)
    window: WindowSettings = WindowSettings()


def default_folder() -> Path:
    """Where this OS account keeps the workstation's data."""
    from platformdirs import user_data_path

    return user_data_path("clerk-app", appauthor=False)


def load(folder: Path | None = None) -> Settings:
    """The settings in `folder` (default: the account's). Failure SETTINGS-INVALID names what is wrong."""
    folder = folder or default_folder()
    file = folder / FILE
    if not file.exists():
        return Settings(folder)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure("SETTINGS-INVALID", str(error)) from error
    return _read(folder, table)


def _read(folder: Path, table: Mapping[str, Any]) -> Settings:
    unknown = table.keys() - {"office", "printer", "reader", "window"}
    if unknown:
        raise Failure("SETTINGS-INVALID", f"unknown table: {', '.join(sorted(unknown))}")
    office = _section(table, "office", {"url": str, "ca": str})
    return Settings(
        folder=folder,
        office_url=office.get("url", ""),
        office_ca=office.get("ca", ""),
        printer=PrinterSettings(**_section(table, "printer", {"url": str, "width": int, "encoding": str})),
        reader=table.get("reader", {}),
        window=WindowSettings(**_section(table, "window", {"language": str, "theme": str, "scale": int})),
    )


def _section(table: Mapping[str, Any], name: str, types: Mapping[str, type]) -> dict[str, Any]:
    section = table.get(name, {})
    for key, value in section.items():
        if key not in types:
            raise Failure("SETTINGS-INVALID", f"unknown setting: {name}.{key}")
        if not isinstance(value, types[key]):
            raise Failure("SETTINGS-INVALID", f"{name}.{key} must be {types[key].__name__}")
    allowed = _ALLOWED.get(name, {})
    for key, values in allowed.items():
        if key in section and section[key] not in values:
            raise Failure("SETTINGS-INVALID", f"{name}.{key} must be one of {', '.join(map(str, values))}")
    return dict(section)


_ALLOWED: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "printer": {"width": (80, 58), "encoding": ("gb18030", "gbk", "gb2312")},
    "window": {"language": ("zh", "en"), "theme": ("light", "dark", "contrast"), "scale": (100, 125, 150)},
}


def save(settings: Settings) -> None:
    """Write the settings back, readable by this account only."""
    lines = []
    sections: dict[str, dict[str, Any]] = {
        "office": {"url": settings.office_url, "ca": settings.office_ca},
        "printer": {
            "url": settings.printer.url,
            "width": settings.printer.width,
            "encoding": settings.printer.encoding,
        },
        "reader": dict(settings.reader),
        "window": {
            "language": settings.window.language,
            "theme": settings.window.theme,
            "scale": settings.window.scale,
        },
    }
    for name, values in sections.items():
        if values:
            lines.append(f"[{name}]")
            lines += [f"{key} = {_toml(value)}" for key, value in values.items()]
            lines.append("")
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = settings.folder / FILE
    file.write_text("\n".join(lines), encoding="utf-8")
    file.chmod(0o600)


def _toml(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
