"""Settings of one workstation: a TOML file that hall IT writes, with defaults that work.

[office]
url = "https://office.example"        # set by `clerk-app enrol`
ca = "/etc/clerk-app/ca.pem"          # private authority, optional
certificate = "/etc/clerk-app/pc.pem" # this computer's own, with its key, where the office asks for one
keep_days = 7                         # how long registered cases stay on this workstation
lock_minutes = 10                     # without a key or a click until the window locks; 0: never

[printer]
url = "tcp://192.0.2.10:9100"         # tcp, serial, file, usb, cups or windows
width = 80                            # paper in millimetres: 80 or 58
encoding = "gb18030"                  # gb18030, gbk, gb2312, utf8 or raster

[[reader]]                            # one table a reader; left out: PC/SC with the usual bytes
driver = "pcsc"                       # pcsc, sdt or the name of an installed driver

[voice]
mode = "off"                          # off, zh, en or zh+en

[window]
language = "zh"                       # zh or en
theme = "light"                       # light, dark or contrast
scale = 100                           # 100, 125 or 150
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, time
from pathlib import Path
from typing import Any

from clerk_app.failures import Failure

FILE = "settings.toml"


@dataclass(frozen=True, slots=True)
class PrinterSettings:
    """`templates` is a folder with the hall's own slip templates, `logo` a black-and-white PNG for them."""

    url: str = ""
    width: int = 80
    encoding: str = "gb18030"
    language: str = "zh"
    copies: int = 1  # of a receipt voucher
    drawer: bool = False  # open the drawer after a receipt voucher
    confirms: bool = True  # the model answers GS r after the last byte
    templates: str = ""
    logo: str = ""


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """`rate` is the speed of speech and `volume` its loudness, both in per cent of the usual."""

    mode: str = "off"
    rate: int = 100
    volume: int = 80


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """The camera materials are taken with: part of its name, or empty for the computer's first."""

    camera: str = ""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    language: str = "zh"
    theme: str = "light"
    scale: int = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a workstation is told. `folder` holds the encrypted cache, the catalogue and the logs.

    `readers` are the tables of `[[reader]]`, each checked by the driver it names; none means PC/SC.
    """

    folder: Path
    office_url: str = ""
    office_ca: str = ""
    office_certificate: str = ""
    keep_days: int = 7
    lock_minutes: int = 10
    printer: PrinterSettings = PrinterSettings()
    readers: tuple[Mapping[str, Any], ...] = ()
    voice: VoiceSettings = VoiceSettings()
    scanner: ScannerSettings = ScannerSettings()
    window: WindowSettings = WindowSettings()


_SECTIONS = {
    "printer": PrinterSettings,
    "voice": VoiceSettings,
    "scanner": ScannerSettings,
    "window": WindowSettings,
}
_ALLOWED: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "office": {"keep_days": tuple(range(1, 91)), "lock_minutes": tuple(range(121))},
    "printer": {
        "width": (80, 58),
        "encoding": ("gb18030", "gbk", "gb2312", "utf8", "raster"),
        "language": ("zh", "zh+en"),
        "copies": (1, 2),
    },
    "voice": {
        "mode": ("off", "zh", "en", "zh+en"),
        "rate": tuple(range(50, 201)),
        "volume": tuple(range(101)),
    },
    "window": {"language": ("zh", "en"), "theme": ("light", "dark", "contrast"), "scale": (100, 125, 150)},
}


def file_of(named: str) -> Path | None:
    """A file of the settings; None when they name none."""
    return Path(named) if named else None


def default_folder() -> Path:
    """Where this OS account keeps the workstation's data."""
    from platformdirs import user_data_path

    return user_data_path("clerk-app", appauthor=False)


def load(folder: Path | None = None) -> Settings:
    """The settings in `folder` (default: the account's). Failure SETTINGS-INVALID names what is wrong."""
    folder = folder or default_folder()
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(folder)
    except OSError as error:  # of another account, or a folder of that name
        raise Failure("SETTINGS-INVALID", f"{folder / FILE}: {error.strerror}") from error
    except ValueError as error:
        raise Failure("SETTINGS-INVALID", "not UTF-8") from error
    return _parsed(folder, text)


def _parsed(folder: Path, text: str) -> Settings:
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # no TOML, a number or a nest without end
        raise Failure("SETTINGS-INVALID", str(error)) from error
    return _read(folder, table)


def _read(folder: Path, table: Mapping[str, Any]) -> Settings:
    unknown = table.keys() - {"office", "reader", *_SECTIONS}
    if unknown:
        raise Failure("SETTINGS-INVALID", f"unknown table: {', '.join(sorted(unknown))}")
    office = _section(table, "office", {key: type(value) for key, value in _office(Settings(folder)).items()})
    read = {
        name: shape(**_section(table, name, {field.name: type(field.default) for field in fields(shape)}))
        for name, shape in _SECTIONS.items()
    }
    return Settings(
        folder=folder,
        office_url=office.get("url", ""),
        office_ca=office.get("ca", ""),
        office_certificate=office.get("certificate", ""),
        keep_days=office.get("keep_days", 7),
        lock_minutes=office.get("lock_minutes", 10),
        readers=_readers(table.get("reader", ())),
        **read,
    )


def _readers(told: Any) -> tuple[Mapping[str, Any], ...]:
    """One `[reader]` or several `[[reader]]`."""
    tables = told if isinstance(told, list | tuple) else [told]
    if not all(isinstance(each, Mapping) for each in tables):
        raise Failure("SETTINGS-INVALID", "reader must be a table")
    return tuple(tables)


def _section(table: Mapping[str, Any], name: str, types: Mapping[str, type]) -> dict[str, Any]:
    section = table.get(name, {})
    if not isinstance(section, Mapping):
        raise Failure("SETTINGS-INVALID", f"{name} must be a table")
    for key, value in section.items():
        if key not in types:
            raise Failure("SETTINGS-INVALID", f"unknown setting: {name}.{key}")
        if type(value) is not types[key]:  # a bool is an int to Python, not to whoever wrote the file
            raise Failure("SETTINGS-INVALID", f"{name}.{key} must be {types[key].__name__}")
    for key, values in _ALLOWED.get(name, {}).items():
        if key in section and section[key] not in values:
            raise Failure("SETTINGS-INVALID", f"{name}.{key} must be {_told(values)}")
    return dict(section)


def _told(values: tuple[object, ...]) -> str:
    if len(values) > 10:
        return f"{values[0]} to {values[-1]}"
    return f"one of {', '.join(map(str, values))}"


def save(settings: Settings) -> None:
    """Write the settings back, readable by this account only.

    The file is IT's: what has not changed stays as it was written, comments included. A kill leaves the file
    before or the one after. Raises OSError.
    """
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (settings.folder / FILE).resolve()  # a hall's IT may keep it elsewhere
    text = _edited(file, settings)
    beside = file.with_name(f"{FILE}.new")
    beside.touch(mode=0o600)
    beside.chmod(0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


def _edited(file: Path, settings: Settings) -> str:
    """The text of `file` with what is different in `settings`; all of it anew where that cannot be done."""
    try:
        text = file.read_text(encoding="utf-8")
        before = _sections(_parsed(settings.folder, text))
    except (Failure, OSError, ValueError):
        return _whole(settings)
    for name, told in _sections(settings).items():
        changed = {key: value for key, value in told.items() if value != before[name][key]}
        if changed:
            text = _with(text, name, changed)
    try:
        return text if _parsed(settings.folder, text) == settings else _whole(settings)
    except Failure:
        return _whole(settings)


def _with(text: str, name: str, changed: Mapping[str, Any]) -> str:
    """`text` with other values in table `name`. Only lines written the usual way are understood."""
    lines, left = text.splitlines(), dict(changed)
    heads = [place for place, line in enumerate(lines) if line.lstrip().startswith("[")]
    start = next((place for place in heads if re.match(rf"\s*\[\s*{name}\s*\]", lines[place])), None)
    if start is None:
        lines += ["", f"[{name}]"]
        start, end = len(lines) - 1, len(lines)
    else:
        end = next((place for place in heads if place > start), len(lines))
    for place in range(start + 1, end):
        line = re.match(r"(\s*([A-Za-z0-9_-]+)\s*=\s*)(?:\"[^\"]*\"|'[^']*'|[^\s#]+)(.*)", lines[place])
        if line is not None and line[2] in left:
            lines[place] = f"{line[1]}{_toml(left.pop(line[2]))}{line[3]}"
    lines[start + 1 : start + 1] = [f"{key} = {_toml(value)}" for key, value in left.items()]
    return "\n".join(lines) + "\n"


def _sections(settings: Settings) -> dict[str, dict[str, Any]]:
    return {"office": _office(settings)} | {name: asdict(getattr(settings, name)) for name in _SECTIONS}


def _office(settings: Settings) -> dict[str, Any]:
    return {
        "url": settings.office_url,
        "ca": settings.office_ca,
        "certificate": settings.office_certificate,
        "keep_days": settings.keep_days,
        "lock_minutes": settings.lock_minutes,
    }


def _whole(settings: Settings) -> str:
    """All settings; what has its default value is left out."""
    usual = _sections(Settings(settings.folder))
    tables: list[tuple[str, Mapping[str, Any]]] = []
    for name, told in _sections(settings).items():
        own = {key: value for key, value in told.items() if value != usual[name][key]}
        tables += [(f"[{name}]", own)] if own else []
        if name == "office":
            tables += [("[[reader]]", reader) for reader in settings.readers]
    lines: list[str] = []
    for heading, values in tables:
        lines += [heading, *(f"{_key(key)} = {_toml(value)}" for key, value in values.items()), ""]
    return "\n".join(lines)


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else _toml(key)


def _toml(value: object) -> str:
    """Anything `tomllib` reads, as it reads it again."""
    match value:
        case str():  # the escapes of JSON are TOML's too; it wants one more character escaped
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case Mapping():
            return "{" + ", ".join(f"{_key(key)} = {_toml(each)}" for key, each in value.items()) + "}"
        case bool():
            return str(value).lower()
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)
