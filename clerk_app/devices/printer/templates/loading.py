"""Which template a slip is printed by: the hall's own where it has one that is right, else the built-in one.

A hall's template is read again when its file changes, so that IT sees a correction in the next preview. One
with a mistake never stops a slip: the built-in one is used and the mistake is told with file and line.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from clerk_app.devices.printer.dots import logo
from clerk_app.devices.printer.layout import Picture, Roll
from clerk_app.devices.printer.templates.nodes import Template
from clerk_app.devices.printer.templates.parser import parse
from clerk_app.devices.printer.templates.text import Missing
from clerk_app.devices.printer.templates.words import VOCABULARY, SlipWords
from clerk_app.domain.documents import Slip
from clerk_app.failures import Failure

ENDING = ".slip"
_LARGEST_FILE = 64 * 1024
_LARGEST_PICTURE = 8 * 1024 * 1024
_Stamp = tuple[int, int, int] | str | None
"""When a file changed and how large it is; the name of what keeps it from being looked at; None: no file."""


@cache
def built_in(file: str) -> Template:
    """The template `file` of this program; a mistake in it is a bug of ours."""
    return parse(source(file), _words_of(file))


def source(file: str) -> str:
    """The text of a built-in template: what a hall copies and changes."""
    return (resources.files("resources") / "slips" / f"{file}{ENDING}").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read: its stamp, the template in it, or what is wrong."""

    stamp: _Stamp
    template: Template | None = None
    problem: str = ""


class Templates:
    """The templates of one workstation. `folder` holds the hall's own, `picture` is its logo; or none.

    `missing` tells the characters its printer cannot put on paper. Used on the printer's lane; `problems` on
    any thread.
    """

    def __init__(
        self, folder: Path | None = None, picture: Path | None = None, missing: Missing = lambda _: ()
    ) -> None:
        self._folder = folder
        self._picture = picture
        self._missing = missing
        self._read: dict[str, _Read] = {}
        self._logos: dict[Roll, tuple[_Stamp, Picture | None]] = {}

    def of(self, slip: Slip) -> Template:
        """The template to print `slip` by."""
        file = VOCABULARY[type(slip)].file
        return self._own(file).template or built_in(file)

    def problem(self, slip: Slip) -> str:
        """Why the hall's own template of `slip` is not used, with file and line; empty when it is right."""
        return self._own(VOCABULARY[type(slip)].file).problem

    def problems(self) -> tuple[str, ...]:
        """Everything wrong with the hall's templates and its logo, for whoever looks after them."""
        found = [problem for words in VOCABULARY.values() if (problem := self._own(words.file).problem)]
        return (*self._folder_problems(), *found, *self._logo_problems())

    def logo(self, roll: Roll) -> Picture | None:
        """The hall's logo for paper of this width; None without one, or when it cannot be opened."""
        if self._picture is None:
            return None
        stamp = _stamp(self._picture)
        known = self._logos.get(roll)
        if known is None or known[0] != stamp:
            try:
                known = (stamp, _logo(self._picture, roll))
            except Failure:
                known = (stamp, None)
            self._logos[roll] = known
        return known[1]

    def _own(self, file: str) -> _Read:
        if self._folder is None:
            return _Read(None)
        path = self._folder / f"{file}{ENDING}"
        stamp = _stamp(path)
        known = self._read.get(file)
        if known is None or known.stamp != stamp:
            known = self._look_into(path, file, stamp) if stamp else _Read(None)
            self._read[file] = known
        return known

    def _look_into(self, path: Path, file: str, stamp: _Stamp) -> _Read:
        try:
            return _Read(stamp, parse(_text(path), _words_of(file), self._missing))
        except Failure as failure:
            return _Read(stamp, problem=failure.detail)

    def _folder_problems(self) -> list[str]:
        if self._folder is None:
            return []
        known = {f"{words.file}{ENDING}" for words in VOCABULARY.values()}
        try:
            names = sorted(path.name for path in self._folder.iterdir())
        except OSError as error:
            missing = isinstance(error, FileNotFoundError | NotADirectoryError)
            return [f"{self._folder.name}: {'no such folder' if missing else _why(error)}"]
        strange = (name for name in names if name.lower().endswith(ENDING) and name not in known)
        return [f"{name}: no slip of this name" for name in strange]

    def _logo_problems(self) -> list[str]:
        if self._picture is None:
            return []
        try:
            _logo(self._picture, Roll(58, 32))
        except Failure as failure:
            return [f"{self._picture.name}: {failure.detail}"]
        return []


def _text(path: Path) -> str:
    """The file as text. Failure PRINTER-TEMPLATE when it cannot be read as one."""
    try:
        content = _content(path, _LARGEST_FILE + 1)
    except OSError as error:
        raise Failure("PRINTER-TEMPLATE", f"{path.name}:1: {_why(error)}") from error
    if len(content) > _LARGEST_FILE:
        raise Failure("PRINTER-TEMPLATE", f"{path.name}:1: larger than {_LARGEST_FILE // 1024} KiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Failure("PRINTER-TEMPLATE", f"{path.name}:{line}: not UTF-8") from error


def _logo(path: Path, roll: Roll) -> Picture:
    """The picture in `path`. Raises Failure("PRINTER-LOGO"): whatever a file holds, no slip stops for it."""
    try:
        content = _content(path, _LARGEST_PICTURE + 1)
    except OSError as error:
        raise Failure("PRINTER-LOGO", _why(error)) from error
    if len(content) > _LARGEST_PICTURE:
        raise Failure("PRINTER-LOGO", f"larger than {_LARGEST_PICTURE // 1024**2} MiB")
    return logo(path, roll)


def _content(path: Path, most: int) -> bytes:
    """The first `most` bytes of a file. Raises OSError; for a pipe or a device too, which may never end."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError("not a file")
    with path.open("rb") as file:
        return file.read(most)


def _why(error: OSError) -> str:
    return type(error).__name__ if error.errno else str(error)


def _stamp(path: Path) -> _Stamp:
    try:
        state = path.stat()
    except FileNotFoundError:
        return "dangling" if path.is_symlink() else None
    except OSError as error:
        return type(error).__name__
    return state.st_mtime_ns, state.st_ctime_ns, state.st_size


@cache
def _words_of(file: str) -> SlipWords:
    return next(words for words in VOCABULARY.values() if words.file == file)
