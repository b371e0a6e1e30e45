"""ESC/POS read the way a printer with a Chinese font reads it: bytes in, paper out.

Written from the command references, not from the encoder: what the encoder gets wrong must show on the paper.
A byte sequence this printer does not know is noted in `unknown`, where a test finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

from PIL import Image

from clerk_app.devices.printer.paper import Letter, Look, Paper, Strip

_LF, _ESC, _FS, _GS = 0x0A, 0x1B, 0x1C, 0x1D
_DEFAULT_PITCH = 30
_BOX = "□"  # what a printer shows for a code it has no letter for

_Reader = Generator[None, int, None]


@dataclass(slots=True)
class _Mode:
    """What ESC @ sets back."""

    latin: Look = field(default_factory=Look)
    hanzi: Look = field(default_factory=Look)
    chinese: bool = True
    align: int = 0
    pitch: int = _DEFAULT_PITCH
    qr_module: int = 3
    qr_correction: int = 0
    qr_data: bytes = b""
    bar_module: int = 3
    bar_height: int = 162


class Interpreter:
    """The inside of a printer whose font holds `charset` ("gb18030", "gbk" or "gb2312").

    `deliver` gets every piece of paper that is cut off; `answer` is called when a status question that waits
    its turn in the buffer (GS r) is reached. `burnt` counts text lines since the printer was switched on.

    The font is the poorer kind: GS ! scales its Latin letters only, hanzi follow ESC ! and FS !.
    """

    def __init__(
        self,
        dots: int,
        charset: str,
        deliver: Callable[[Paper], None],
        answer: Callable[[], None],
    ) -> None:
        self.strip = Strip(dots)
        self.burnt = 0
        self.unknown: list[bytes] = []
        self._dots = dots
        self._charset = charset
        self._deliver = deliver
        self._answer = answer
        self._mode = _Mode()
        self._line: list[Letter] = []
        self._reader = self._read()
        next(self._reader)

    def take(self, byte: int) -> None:
        """Work on the next byte of the print buffer."""
        self._reader.send(byte)

    def tear_off(self) -> Paper:
        """The paper that hangs out of the printer without having been cut."""
        return self.strip.cut()

    # --- one command after the other -------------------------------------------------------------------

    def _read(self) -> _Reader:
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
            elif byte >= 0x81 and self._mode.chinese:
                yield from self._two_bytes(byte)
            elif byte >= 0x20:
                self._put(chr(byte) if byte < 0x7F else _BOX, 12, self._mode.latin)
            elif byte != 0x0D:
                self.unknown.append(bytes([byte]))

    def _escape(self) -> _Reader:
        mode = self._mode
        match command := chr((yield)):
            case "@":
                self._mode = _Mode()
                self._line.clear()
            case "!":
                n = yield
                look = Look(1 + (n >> 5 & 1), 1 + (n >> 4 & 1), bool(n & 8), bool(n & 0x80))
                mode.latin = replace(look, reverse=mode.latin.reverse)
                mode.hanzi = replace(mode.hanzi, width=1, height=1, bold=bool(n & 8))
            case "E":
                on = bool((yield) & 1)
                mode.latin, mode.hanzi = replace(mode.latin, bold=on), replace(mode.hanzi, bold=on)
            case "-":
                mode.latin = replace(mode.latin, underline=bool((yield) & 3))
            case "a":
                mode.align = (yield) % 48
            case "2":
                mode.pitch = _DEFAULT_PITCH
            case "3":
                mode.pitch = yield
            case "J":
                self._burn_rest()
                self.strip.feed((yield))
            case "d":
                self._burn_rest()
                self.strip.feed((yield) * mode.pitch)
            case _:
                self.unknown.append(b"\x1b" + command.encode("latin-1"))

    def _chinese(self) -> _Reader:
        mode = self._mode
        match command := chr((yield)):
            case "&":
                mode.chinese = True
            case ".":
                mode.chinese = False
            case "!":
                n = yield
                wide, high, line = 1 + (n >> 2 & 1), 1 + (n >> 3 & 1), bool(n & 0x80)
                mode.hanzi = replace(mode.hanzi, width=wide, height=high, underline=line)
            case "-":
                mode.hanzi = replace(mode.hanzi, underline=bool((yield) & 3))
            case "S":
                yield
                yield
            case _:
                self.unknown.append(b"\x1c" + command.encode("latin-1"))

    def _group(self) -> _Reader:
        mode = self._mode
        match command := chr((yield)):
            case "!":
                n = yield
                mode.latin = replace(mode.latin, width=1 + (n >> 4 & 7), height=1 + (n & 7))
            case "B":
                on = bool((yield) & 1)
                mode.latin, mode.hanzi = replace(mode.latin, reverse=on), replace(mode.hanzi, reverse=on)
            case "a":
                yield  # automatic status: this printer never sends any
            case "r":
                yield
                self._answer()
            case "h":
                mode.bar_height = yield
            case "w":
                mode.bar_module = yield
            case "H":
                yield
            case "k":
                yield from self._bars()
            case "(":
                yield from self._function()
            case "v":
                yield from self._picture()
            case "V":
                yield from self._cut()
            case _:
                self.unknown.append(b"\x1d" + command.encode("latin-1"))

    # --- letters ---------------------------------------------------------------------------------------

    def _two_bytes(self, lead: int) -> _Reader:
        """One hanzi. Of a four-byte code the printer shows two boxes, as most of them do."""
        code = bytes([lead, (yield)])
        character = _BOX
        if code[1] >= 0x40:
            wide = "gb18030" if self._charset == "gb18030" else "gbk"
            character = code.decode(wide, "replace")
            if self._charset == "gb2312" and "\ufffd" in code.decode("gb2312", "replace"):
                character = _BOX
        self._put(character if len(character) == 1 and character != "\ufffd" else _BOX, 24, self._mode.hanzi)

    def _put(self, character: str, dots: int, look: Look) -> None:
        letter = Letter(character, dots * look.width, look)
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

    # --- codes, pictures, knife ------------------------------------------------------------------------

    def _bars(self) -> _Reader:
        """GS k in its second form. Only CODE128 (73) is fitted."""
        kind = yield
        length = yield
        data = bytearray()
        for _ in range(length):
            data.append((yield))
        if kind != 73 or not data.startswith(b"{"):
            self.unknown.append(b"\x1dk" + bytes([kind]))
            return
        text = _code128_text(bytes(data))
        self.strip.code128(text, self._mode.bar_module, self._mode.bar_height, self._mode.align)

    def _function(self) -> _Reader:
        """GS ( k: the functions of a QR code."""
        group = yield
        length = (yield) | (yield) << 8
        data = bytearray()
        for _ in range(length):
            data.append((yield))
        mode = self._mode
        match (group, data[0], data[1]):
            case (0x6B, 49, 65):
                pass  # model 1 or 2: drawn as 2
            case (0x6B, 49, 67):
                mode.qr_module = data[2]
            case (0x6B, 49, 69):
                mode.qr_correction = data[2] - 48
            case (0x6B, 49, 80):
                mode.qr_data = bytes(data[3:])
            case (0x6B, 49, 81):
                self.strip.qr(mode.qr_data.decode("latin-1"), mode.qr_module, mode.qr_correction, mode.align)
            case _:
                self.unknown.append(b"\x1d(" + bytes([group]) + bytes(data[:2]))

    def _picture(self) -> _Reader:
        """GS v 0: rows of dots, eight a byte."""
        yield  # "0"
        yield  # scale: drawn 1:1
        width = ((yield) | (yield) << 8) * 8
        height = (yield) | (yield) << 8
        rows = bytearray()
        for _ in range(width // 8 * height):
            rows.append((yield))
        self.strip.picture(Image.frombytes("1", (width, height), bytes(rows)).convert("L"), self._mode.align)

    def _cut(self) -> _Reader:
        kind = yield
        if kind in {65, 66}:
            self.strip.feed((yield))
        self._burn_rest()
        self.strip.feed(96)  # from head to knife
        self._deliver(self.strip.cut())


def _code128_text(data: bytes) -> str:
    """The text of a GS k CODE128 sequence: `{B` letters, `{C` pairs of digits as values, `{{` a brace."""
    text, pairs, index = "", False, 0
    while index < len(data):
        if data[index : index + 1] == b"{" and data[index + 1 : index + 2] in {b"A", b"B", b"C"}:
            pairs = data[index + 1 : index + 2] == b"C"
            index += 2
        elif pairs:
            text += f"{data[index]:02d}"
            index += 1
        else:
            text += chr(data[index])
            index += 2 if data[index : index + 2] == b"{{" else 1
    return text
