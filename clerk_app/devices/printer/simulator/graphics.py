"""The part of the simulated printer that reads codes and pictures: bars, QR, raster, column graphics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field

from PIL import Image

from clerk_app.devices.printer.simulator.paper import Letter, Look, Strip

Reader = Generator[None, int, None]

_CODE128 = 73
_QR, _GRAPHICS = 0x6B, 0x4C  # the groups of GS ( this printer has
# ESC * by its m: rows of dots (8 or 24), and how wide and high each dot is drawn at 203 dots an inch.
_COLUMN_MODES = {0: (8, 2, 3), 1: (8, 1, 3), 32: (24, 2, 1), 33: (24, 1, 1)}


@dataclass(slots=True)
class Mode:
    """What ESC @ sets back."""

    latin: Look = field(default_factory=Look)
    hanzi: Look = field(default_factory=Look)
    chinese: bool = True
    page: str = "cp437"  # empty for one this printer does not have
    align: int = 0
    pitch: int = 30
    spacing: int = 0
    hanzi_spacing: tuple[int, int] = (0, 0)
    qr_module: int = 3
    qr_correction: int = 0
    qr_data: bytes = b""
    bar_module: int = 3
    bar_height: int = 162
    stored: Image.Image | None = None  # by GS ( L, until it is printed


class Graphics(ABC):
    """Codes and pictures of an `Interpreter`, which has the state and the letters."""

    strip: Strip
    burnt: int
    unknown: list[bytes]
    _mode: Mode
    _dots: int

    @abstractmethod
    def _append(self, letter: Letter) -> None:
        """Put a letter into the line."""

    def _value(self, told: int, least: int, most: int, kept: int, command: bytes) -> int:
        """`told` if it is in its range; else `kept`, and the command is noted."""
        if least <= told <= most:
            return told
        self.unknown.append(command)
        return kept

    def _bars(self) -> Reader:
        """GS k in its second form. Only CODE128 is fitted."""
        kind = yield
        length = yield
        data = bytearray()
        for _ in range(length):
            data.append((yield))
        mode = self._mode
        text = _code128_text(bytes(data)) if kind == _CODE128 and data.startswith(b"{") else ""
        if not text or not self.strip.code128(text, mode.bar_module, mode.bar_height, mode.align):
            self.unknown.append(b"\x1dk" + bytes([kind]))
        self.burnt += 1

    def _function(self) -> Reader:
        """GS (: a group, the length of what follows, a function and its values."""
        group = yield
        length = (yield) | (yield) << 8
        data = bytearray()
        for _ in range(length):
            data.append((yield))
        known = False
        if group == _QR and len(data) >= 3:
            known = self._qr(data[1], bytes(data[2:]))
        elif group == _GRAPHICS and len(data) >= 2:
            known = self._graphics(data[1], bytes(data[2:]))
        if not known:
            self.unknown.append(b"\x1d(" + bytes([group]) + bytes(data[:2]))

    def _qr(self, function: int, values: bytes) -> bool:
        """GS ( k 49: model (drawn as 2 always), module, correction, data, print."""
        mode = self._mode
        match function:
            case 65:
                pass
            case 67:
                mode.qr_module = self._value(values[0], 1, 16, mode.qr_module, b"\x1d(kC")
            case 69:
                level = self._value(values[0], 48, 51, 48 + mode.qr_correction, b"\x1d(kE")
                mode.qr_correction = level - 48
            case 80:
                mode.qr_data = values[1:]
            case 81:
                self.burnt += 1
                text = mode.qr_data.decode("latin-1")
                return bool(text) and self.strip.qr(text, mode.qr_module, mode.qr_correction, mode.align)
            case _:
                return False
        return True

    def _graphics(self, function: int, values: bytes) -> bool:
        """GS ( L: 112 stores rows of dots (tone, scale, colour, width, height, rows), 50 prints them."""
        mode = self._mode
        if function == 112 and len(values) >= 8:
            width, height = values[4] | values[5] << 8, values[6] | values[7] << 8
            mode.stored = _picture(width, height, values[8:], self._dots)
            if mode.stored is None:
                return False
            across, down = (min(2, max(1, scale)) for scale in values[1:3])
            mode.stored = mode.stored.resize((mode.stored.width * across, mode.stored.height * down))
            return True
        if function in {2, 50}:
            picture, mode.stored = mode.stored, None
            self._print(picture)
            return picture is not None
        return False

    def _raster(self) -> Reader:
        """GS v 0: rows of dots, eight a byte; the scale doubles across (1) and down (2)."""
        yield  # "0"
        scale = yield
        width = ((yield) | (yield) << 8) * 8
        height = (yield) | (yield) << 8
        rows = bytearray()
        for _ in range(width // 8 * height):
            rows.append((yield))
        picture = _picture(width, height, bytes(rows), self._dots)
        if picture is None:
            self.unknown.append(b"\x1dv0")
        elif scale & 3:
            size = (picture.width * (1 + (scale & 1)), picture.height * (1 + (scale >> 1 & 1)))
            self._print(picture.resize(size))
        else:
            self._print(picture)

    def _print(self, picture: Image.Image | None) -> None:
        if picture is not None:
            self.burnt += 1
            self.strip.picture(picture, self._mode.align)

    def _columns(self) -> Reader:
        """ESC *: columns of 8 or 24 dots from the top, which stand in the line like a letter."""
        kind = yield
        count = (yield) | (yield) << 8
        rows, across, down = _COLUMN_MODES.get(kind, (8, 1, 3))
        data = bytearray()
        for _ in range(count * rows // 8):
            data.append((yield))
        if kind not in _COLUMN_MODES or not count:
            self.unknown.append(b"\x1b*" + bytes([kind]))
            return
        # Turned, a column is a row: rows // 8 bytes, the highest bit at the top.
        turned = Image.frombytes("1", (rows, count), bytes(data)).convert("L")
        picture = turned.transpose(Image.Transpose.TRANSPOSE).resize((count * across, rows * down))
        picture = picture.crop((0, 0, min(picture.width, self._dots), picture.height))
        self._append(Letter(f"[columns {count}]", picture.width, Look(), picture))


def _picture(width: int, height: int, rows: bytes, dots: int) -> Image.Image | None:
    """Rows of dots as an image, cut off at the edge of the paper; None if they are no picture."""
    if not width or not height or len(rows) < -(-width // 8) * height:
        return None
    picture = Image.frombytes("1", (width, height), rows).convert("L")
    return picture.crop((0, 0, min(width, dots), height))


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
