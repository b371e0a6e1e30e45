"""How far a page lies askew, and where its paper ends: both read from a small grey copy."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageFilter

RANGE = 10.0
"""Degrees to either side: a page laid carelessly. One that lies farther off was laid so on purpose."""

_SMALL = 600  # pixels of the long side of the copy
_CLEARLY = 1.15  # how much better than "straight" an angle has to be
_PEAK = 1.6  # how much better than the other angles: a seal or a portrait has no angle that stands out


def skew(picture: Image.Image) -> float:
    """Degrees to turn `picture` counter-clockwise to make its lines level; 0 when there is nothing to tell.

    The projection profile: seen along lines of print, rows of ink and rows of paper differ most when the
    lines lie level. Ink is what is darker than its surroundings, so that a shadow over the page is none.
    """
    grey = _small(picture)
    ink = ImageChops.subtract(grey.filter(ImageFilter.BoxBlur(8)), grey).point(
        lambda lv: 255 if lv > 16 else 0
    )
    # The rim is not print: the edge of the paper and the table beyond it.
    across, down = ink.width // 20, ink.height // 20
    ink = ink.crop((across, down, ink.width - across, ink.height - down))
    if ink.histogram()[255] < 50:
        return 0.0
    levels = {float(turn): _levelness(ink, turn) for turn in range(-round(RANGE), round(RANGE) + 1)}
    angle, best = max(levels.items(), key=lambda found: found[1])
    if best < _PEAK * sum(levels.values()) / len(levels):
        return 0.0
    for reach, step in ((1.0, 0.25), (0.25, 0.05)):
        turns = round(reach / step)
        nearby = {(tried := angle + turn * step): _levelness(ink, tried) for turn in range(-turns, turns + 1)}
        angle, best = max(nearby.items(), key=lambda found: found[1])
    return angle if best > _CLEARLY * levels[0] and abs(angle) < RANGE - 0.25 else 0.0


def cut_to_paper(picture: Image.Image) -> Image.Image:
    """Without the darker table around the paper; whole where the paper does not stand out clearly."""
    grey = _small(picture)
    level = _between(grey.histogram())
    light = grey.point(lambda lv: 255 if lv > level else 0)
    rows = light.resize((1, light.height), Image.Resampling.BOX).tobytes()
    columns = light.resize((light.width, 1), Image.Resampling.BOX).tobytes()
    wide, high = _span(columns), _span(rows)
    if wide is None or high is None:
        return picture
    (left, right), (top, bottom) = wide, high
    paper = light.crop((left, top, right, bottom))
    inside = paper.histogram()[255] / (paper.width * paper.height)
    area = paper.width * paper.height
    around = light.width * light.height - area
    outside = (light.histogram()[255] - paper.histogram()[255]) / around if around else 1.0
    if inside < 0.8 or outside > 0.1 or area < 0.2 * light.width * light.height or around < 0.03 * area:
        return picture
    across, down = picture.width / light.width, picture.height / light.height
    return picture.crop((int(left * across), int(top * down), int(right * across), int(bottom * down)))


def _small(picture: Image.Image) -> Image.Image:
    small = picture.convert("L")
    small.thumbnail((_SMALL, _SMALL), Image.Resampling.BOX)
    return small


def _levelness(ink: Image.Image, angle: float) -> float:
    """How much neighbouring rows differ in ink with the page turned by `angle`."""
    turned = ink.rotate(angle, Image.Resampling.NEAREST) if angle else ink
    rows = turned.resize((1, turned.height), Image.Resampling.BOX).tobytes()
    return float(sum((row - above) ** 2 for row, above in zip(rows[1:], rows, strict=False)))


def _between(histogram: list[int]) -> int:
    """The grey level that parts light from dark best (Otsu's method)."""
    count = sum(histogram)
    total = sum(level * found for level, found in enumerate(histogram))
    best, level, dark, below = -1.0, 127, 0, 0
    for tried, found in enumerate(histogram):
        dark += found
        below += tried * found
        if 0 < dark < count:
            apart = (below / dark - (total - below) / (count - dark)) ** 2 * dark * (count - dark)
            if apart > best:
                best, level = apart, tried
    return level


def _span(profile: bytes) -> tuple[int, int] | None:
    """From the first to the last place where more than a third is light."""
    light = [place for place, mean in enumerate(profile) if mean > 85]
    return (light[0], light[-1] + 1) if light else None
