"""ESC/POS read the way a printer with a Chinese font reads it: bytes in, paper out.

Written from the command references, not from the encoder: what the encoder gets wrong must show on the paper.
A byte sequence this printer does not know is noted in `unknown`, where a test finds it; so is a value out of
its range, which is ignored. Letters and modes are here, codes and pictures in `graphics`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from clerk_app.devices.printer.simulator.graphics import Graphics, Mode, Reader
from clerk_app.devices.printer.simulator.paper import Letter, Look, Paper, Strip

_NUL, _LF, _CR, _ESC, _FS, _GS = 0x00, 0x0A, 0x0D, 0x1B, 0x1C, 0x1D
_BOX = "□"  # what a printer shows for a code it has no letter for
_TO_KNIFE = 96  # dots from head to knife

# Outside Chinese mode a byte beyond ASCII is a letter of the page chosen by ESC t.
_PAGES = {
    0: "cp437",
    2: "cp850",
    3: "cp860",
    4: "cp863",
    5: "cp865",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
}
# Commands with that many bytes behind them that change nothing to be seen here.
_SILENT = {b"\x1bR": 1, b"\x1b=": 1, b"\x1bc": 2, b"\x1dH": 1, b"\x1df": 1, b"\x1dP": 2, b"\x1dI": 1}


def _nobody(_: int) -> None:
    """For a printer on the bench, without a line."""


class Interpreter(Graphics):
    """The inside of a printer whose font holds `charset`: "gb18030", "gbk", "gb2312", "utf8" (set to it), or
    anything else for no Chinese at all.

    `deliver` gets every piece of paper that is cut off; `answer` is called when a status question that waits
    its turn in the buffer (GS r) is reached, `reports` with the n of GS a. `burnt` counts lines and pictures
    since the printer was switched on.

    Clones differ in what scales hanzi, `scaled_by`: "FS !" (the poorer kind, where ESC ! sets them back),
    "FS W", "GS !" or "ESC !".
    """

    def __init__(
        self,
        dots: int,
        charset: str,
        deliver: Callable[[Paper], None],
        answer: Callable[[], None],
        reports: Callable[[int], None] = _nobody,
        scaled_by: str = "FS !",
    ) -> None:
        self.strip = Strip(dots)
        self.burnt = 0
        self.unknown: list[bytes] = []
        self._dots = dots
        self._charset = charset
        self._deliver = deliver
        self._answer = answer
        self._reports = reports
        self._scaled_by = scaled_by
        self._mode = Mode()
        self._line: list[Letter] = []
        self._reader = self._read()
        next(self._reader)

    def take(self, byte: int) -> None:
        """Work on the next byte of the print buffer."""
        self._reader.send(byte)

    def kick(self) -> None:
        """The drawer jumps open."""
        self.strip.note("[drawer]")

    def tear_off(self) -> Paper:
        """The paper that hangs out of the printer without having been cut."""
        return self.strip.cut()

    # --- one command after the other -------------------------------------------------------------------

    def _read(self) -> Reader:
        while True:
            byte = yield
            if byte == _LF:
                self._burn()
            elif byte == _ESC:
                yield from self._escape()
            elif byte == _FS:
                yield from self._chinese()
            elif byte == _GS:
                yield from self._group()
            elif byte >= 0x80 and self._charset == "utf8":
                yield from self._utf8(byte)
            elif byte >= 0x81 and self._mode.chinese and self._charset.startswith("gb"):
                yield from self._two_bytes(byte)
            elif byte >= 0x20:
                self._put_latin(byte)
            elif byte not in (_NUL, _CR):
                self.unknown.append(bytes([byte]))

    def _escape(self) -> Reader:
        mode = self._mode
        match command := chr((yield)):
            case "@":
                self._mode = Mode()
                self._line.clear()
            case "!":
                self._print_mode((yield))
            case "E" | "G":
                on = bool((yield) & 1)
                mode.latin, mode.hanzi = replace(mode.latin, bold=on), replace(mode.hanzi, bold=on)
            case "-":
                mode.latin = replace(mode.latin, underline=bool((yield) & 3))
            case "M":
                mode.latin = replace(mode.latin, small=bool((yield) & 1))
            case "t":
                mode.page = _PAGES.get((yield), "")
            case " ":
                mode.spacing = yield
            case "a":
                mode.align = self._value((yield) & 0x0F, 0, 2, mode.align, b"\x1ba")
            case "2":
                mode.pitch = Mode().pitch
            case "3":
                mode.pitch = yield
            case _:
                yield from self._escape_paper(command)

    def _escape_paper(self, command: str) -> Reader:
        """The ESC commands that move paper, put pictures on it or open the drawer."""
        match command:
            case "J":
                self._burn_rest()
                self.strip.feed((yield))
            case "d":
                self._burn_rest()
                self.strip.feed((yield) * self._mode.pitch)
            case "p":
                for _ in range(3):
                    yield
                self.kick()
            case "*":
                yield from self._columns()
            case "i" | "m":
                self._cut("partial")
            case _:
                yield from self._other(b"\x1b" + command.encode("latin-1"))

    def _print_mode(self, n: int) -> None:
        """ESC !: font, weight, size and line of Latin letters in one byte."""
        mode = self._mode
        wide, high, bold = 1 + (n >> 5 & 1), 1 + (n >> 4 & 1), bool(n & 8)
        mode.latin = Look(wide, high, bold, bool(n & 0x80), mode.latin.reverse, small=bool(n & 1))
        size = (wide, high) if self._scaled_by == "ESC !" else (1, 1)
        mode.hanzi = replace(mode.hanzi, width=size[0], height=size[1], bold=bold)

    def _chinese(self) -> Reader:
        mode = self._mode
        match command := chr((yield)):
            case "&":
                mode.chinese = True
            case ".":
                mode.chinese = False
            case "!":
                n = yield
                wide, high, line = 1 + (n >> 2 & 1), 1 + (n >> 3 & 1), bool(n & 0x80)
                if self._scaled_by == "FS !":
                    mode.hanzi = replace(mode.hanzi, width=wide, height=high, underline=line)
            case "W":
                size = 1 + ((yield) & 1)
                if self._scaled_by in {"FS !", "FS W"}:
                    mode.hanzi = replace(mode.hanzi, width=size, height=size)
            case "-":
                mode.hanzi = replace(mode.hanzi, underline=bool((yield) & 3))
            case "S":
                mode.hanzi_spacing = ((yield), (yield))
            case _:
                yield from self._other(b"\x1c" + command.encode("latin-1"))

    def _group(self) -> Reader:
        mode = self._mode
        match command := chr((yield)):
            case "!":
                n = yield
                wide, high = 1 + (n >> 4 & 7), 1 + (n & 7)
                mode.latin = replace(mode.latin, width=wide, height=high)
                if self._scaled_by == "GS !":
                    mode.hanzi = replace(mode.hanzi, width=wide, height=high)
            case "B":
                on = bool((yield) & 1)
                mode.latin, mode.hanzi = replace(mode.latin, reverse=on), replace(mode.hanzi, reverse=on)
            case "a":
                self._reports((yield))
            case "r":
                yield
                self._answer()
            case "h":
                mode.bar_height = self._value((yield), 1, 255, mode.bar_height, b"\x1dh")
            case "w":
                mode.bar_module = self._value((yield), 1, 6, mode.bar_module, b"\x1dw")
            case "k":
                yield from self._bars()
            case "(":
                yield from self._function()
            case "v":
                yield from self._raster()
            case "V":
                kind = yield
                feed = (yield) if kind in {65, 66} else 0
                self._cut("full" if kind in {0, 48, 65} else "partial", feed)
            case _:
                yield from self._other(b"\x1d" + command.encode("latin-1"))

    def _other(self, command: bytes) -> Reader:
        """A command without effect, or one this printer does not know: what follows is then text to it."""
        if command not in _SILENT:
            self.unknown.append(command)
        for _ in range(_SILENT.get(command, 0)):
            yield

    # --- letters ---------------------------------------------------------------------------------------

    def _put_latin(self, byte: int) -> None:
        mode = self._mode
        character = chr(byte)
        if byte >= 0x7F:
            character = bytes([byte]).decode(mode.page, "replace") if mode.page and byte > 0x7F else _BOX
        if character == "\ufffd" or not character.isprintable():
            character = _BOX
        self._put(character, 9 if mode.latin.small else 12, mode.latin, mode.spacing)

    def _two_bytes(self, lead: int) -> Reader:
        """One hanzi. Of a four-byte code the printer shows two boxes, as most of them do."""
        code = bytes([lead, (yield)])
        character = _BOX
        if code[1] >= 0x40:
            wide = "gb18030" if self._charset == "gb18030" else "gbk"
            character = code.decode(wide, "replace")
            if self._charset == "gb2312" and "\ufffd" in code.decode("gb2312", "replace"):
                character = _BOX
        self._put_hanzi(character)

    def _utf8(self, lead: int) -> Reader:
        """One character of a printer set to UTF-8, which draws what its GB 18030 font has in two bytes."""
        code = bytearray([lead])
        for _ in range(3 if lead >= 0xF0 else 2 if lead >= 0xE0 else 1 if lead >= 0xC2 else 0):
            code.append((yield))
        character = code.decode("utf-8", "replace")
        known = len(character) == 1 and len(character.encode("gb18030", "replace")) == 2
        self._put_hanzi(character if known else _BOX)

    def _put_hanzi(self, character: str) -> None:
        mode = self._mode
        shown = character if len(character) == 1 and character != "\ufffd" else _BOX
        self._put(shown, 24, mode.hanzi, sum(mode.hanzi_spacing))

    def _put(self, character: str, dots: int, look: Look, spacing: int = 0) -> None:
        """One letter, its spacing on its right and wide as the letter is."""
        self._append(Letter(character, (dots + spacing) * look.width, look))

    def _append(self, letter: Letter) -> None:
        if sum(each.dots for each in self._line) + letter.dots > self._dots:
            self._burn()  # a full line is printed and the rest begins the next
        self._line.append(letter)

    def _burn(self) -> None:
        self.strip.letters(self._line, self._mode.align, self._mode.pitch)
        self._line = []
        self.burnt += 1

    def _burn_rest(self) -> None:
        if self._line:
            self._burn()

    def _cut(self, how: str, feed: int = 0) -> None:
        self._burn_rest()
        self.strip.feed(feed + _TO_KNIFE)
        self._deliver(self.strip.cut(how))
