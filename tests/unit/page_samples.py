"""Invented pages: lines of print, a red seal, on a table, laid askew, as a camera or a scanner gives them."""

from __future__ import annotations

import random
from io import BytesIO

from PIL import Image, ImageChops, ImageDraw

PAPER = (1240, 1754)  # A4 at 150 dpi


def sheet(*, seal: bool = True, lines: int = 40, seed: int = 1) -> Image.Image:
    """A page of print, as strokes: what it says is nobody's business."""
    dice = random.Random(seed)
    page = Image.new("RGB", PAPER, (250, 250, 247))
    draw = ImageDraw.Draw(page)
    for line in range(lines):
        y, x = 150 + line * 36, 130
        end = dice.choice((700, 1100, 1100))
        while x < end:
            for _ in range(4):
                x0, y0 = x + dice.randrange(18), y + dice.randrange(18)
                x1, y1 = (x0, y + 20) if dice.random() < 0.5 else (x + 20, y0)
                draw.line((x0, y0, x1, y1), (30, 30, 30), 2)
            x += 25
    if seal:
        draw.ellipse((800, 1300, 1060, 1560), outline=(205, 30, 35), width=9)
        draw.polygon([(930, 1370), (990, 1500), (860, 1420), (1000, 1420), (870, 1500)], (205, 30, 35))
    return page


def photograph(page: Image.Image, degrees: float, size: tuple[int, int] = (3000, 4000)) -> Image.Image:
    """`page` on a dark table, turned clockwise, under a lamp that stands to one side."""
    scale = 0.86 * size[1] / page.height
    large = page.resize((round(page.width * scale), round(page.height * scale)), Image.Resampling.BICUBIC)
    table = Image.new("RGB", size, (92, 70, 52))
    shape = Image.new("L", large.size, 255).rotate(-degrees, Image.Resampling.BICUBIC, expand=True)
    laid = large.rotate(-degrees, Image.Resampling.BICUBIC, expand=True)
    table.paste(laid, ((size[0] - laid.width) // 2, (size[1] - laid.height) // 2), shape)
    lamp = Image.linear_gradient("L").rotate(90).point(lambda level: 150 + level * 100 // 255).resize(size)
    return ImageChops.multiply(table, Image.merge("RGB", (lamp, lamp, lamp)))


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()
