"""A document camera without a camera: it sees an invented form that lies a little askew on a table.

It runs on a thread of its own, as the real one does in its process, and gives another page after each taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from io import BytesIO
from itertools import count

from PIL import Image, ImageDraw

from clerk_app.desk.ports import CameraEvent, CameraFrame, CameraPhoto
from clerk_app.devices.printer.fonts import font_for

PHOTO = (1500, 2000)  # pixels
FRAME = (600, 800)
_PAPER = (1050, 1485)  # A4
_TABLE, _SHEET, _INK, _SEAL = (92, 70, 52), (250, 250, 247), (32, 34, 40), (198, 32, 38)
_ANGLES = (3.2, -2.1, 1.4)  # degrees, clockwise
_LINES = (
    "申请人：（练习）",
    "申请事项：本页为练习用的样张，不是任何人的材料",
    "一、本表由申请人如实填写，字迹清楚。",
    "二、所附材料为复印件的，应与原件核对一致。",
    "三、本表一式两份，窗口和申请人各存一份。",
    "This page was drawn for practice. Nobody wrote it.",
)


class PracticeCamera:
    """The `Camera` of the practice hall."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._listener: Callable[[CameraEvent], None] | None = None
        self._wanted = 0
        self._page = count()

    def open(self, listener: Callable[[CameraEvent], None]) -> None:
        with self._changed:
            self._listener, self._wanted = listener, 0
            self._changed.notify_all()
        threading.Thread(target=self._look, args=(listener,), name="practice-camera", daemon=True).start()

    def take(self) -> None:
        with self._changed:
            self._wanted += 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._listener = None
            self._changed.notify_all()

    def _look(self, listener: Callable[[CameraEvent], None]) -> None:
        """Show a page until it is taken, then the next one, as long as somebody looks."""
        while True:
            photo = photograph(next(self._page))
            if not self._send(listener, CameraFrame(_jpeg(photo.resize(FRAME), 80))):
                return
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._listener is not listener)
                self._wanted = max(0, self._wanted - 1)
            if not self._send(listener, CameraPhoto(_jpeg(photo, 92))):
                return

    def _send(self, listener: Callable[[CameraEvent], None], event: CameraEvent) -> bool:
        """Whether `listener` still looks. Told outside the lock: it may call back."""
        with self._changed:
            looks = self._listener is listener
        if looks:
            listener(event)
        return looks


def photograph(number: int) -> Image.Image:
    """The page `number` (from 0) on its table."""
    form = _form(number % 3)
    angle = -_ANGLES[number % len(_ANGLES)]
    shape = Image.new("L", form.size, 255).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    laid = form.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    table = Image.new("RGB", PHOTO, _TABLE)
    table.paste(laid, ((PHOTO[0] - laid.width) // 2, (PHOTO[1] - laid.height) // 2), shape)
    return table


@cache
def _form(number: int) -> Image.Image:
    """A form with a title, lines of print, a grid and a red seal."""
    width = _PAPER[0]
    page = Image.new("RGB", _PAPER, _SHEET)
    draw = ImageDraw.Draw(page)
    _write(draw, (width // 2, 150), f"样 表 {number + 1}", 56, "mm")
    for place, line in enumerate(_LINES * 2):
        _write(draw, (110, 250 + place * 56), line, 30, "lm")
    top, low = 960, 1260
    for place in range(6):
        y = top + place * (low - top) // 5
        draw.line((110, y, width - 110, y), _INK, 2)
    for x in (110, 360, width - 110):
        draw.line((x, top, x, low), _INK, 2)
    for place, word in enumerate(("姓名", "证件类型", "联系电话", "住址", "备注")):
        _write(draw, (130, top + 30 + place * 60), word, 28, "lm")
    draw.ellipse((700, 1150, 920, 1370), outline=_SEAL, width=8)
    _write(draw, (810, 1260), "练习专用", 44, "mm", _SEAL)
    return page


def _write(
    draw: ImageDraw.ImageDraw,
    spot: tuple[int, int],
    text: str,
    size: int,
    anchor: str,
    ink: tuple[int, int, int] = _INK,
) -> None:
    draw.text(spot, text, fill=ink, font=font_for(text, size), anchor=anchor)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()
