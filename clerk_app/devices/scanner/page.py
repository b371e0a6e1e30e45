"""A picture of a page, from a camera or a file, made straight, cut to the paper and compressed.

Plain and without memory: bytes in, pages out. What the picture knew about camera, place and time is left
behind, for only its pixels are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageOps

from clerk_app.desk.ports import Page
from clerk_app.devices.scanner.skew import cut_to_paper, skew
from clerk_app.failures import Failure

LARGEST_FILE = 64 * 1024 * 1024
LARGEST_PICTURE = 80_000_000  # pixels; a page of a flatbed at 600 dpi has 35 million
MOST_PAGES = 50  # of one file
LONG_SIDE = 2000  # pixels: an A4 page at 170 dpi, on which the smallest print can be read
LARGEST_PAGE = 300_000  # bytes
_QUALITIES = (82, 72, 60, 48, 36)
_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP")
_LEAST_TURN = 0.15  # degrees: below that, turning costs more sharpness than it gains
_COLOURED = 0.002  # of the pixels: less than a seal


def pages(data: bytes) -> tuple[Page, ...]:
    """The pages of an image file (JPEG, PNG, TIFF with its pages, WebP, BMP), each as a JPEG.

    Failures: SCAN-PDF, SCAN-TOO-LARGE, SCAN-NO-IMAGE.
    """
    if data[:1024].lstrip()[:5] == b"%PDF-":
        raise Failure("SCAN-PDF")
    _require(len(data) <= LARGEST_FILE, f"{len(data)} bytes")
    return tuple(_page(_plain(picture)) for picture in _pictures(data))


def _pictures(data: bytes) -> Iterator[Image.Image]:
    """The pictures in a file, decoded and upright."""
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as file:
            for number in range(_count(file)):
                file.seek(number)
                _require(file.width * file.height <= LARGEST_PICTURE, f"{file.width} x {file.height} pixels")
                file.draft(None, (LONG_SIDE, LONG_SIDE))  # a JPEG is decoded smaller where that is enough
                yield ImageOps.exif_transpose(file)
    except Failure:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Failure("SCAN-TOO-LARGE", type(error).__name__) from error
    except Exception as error:  # a damaged file trips Pillow's parsers in any way there is
        raise Failure("SCAN-NO-IMAGE", type(error).__name__) from error


def _count(file: Image.Image) -> int:
    count = int(getattr(file, "n_frames", 1)) if file.format == "TIFF" else 1
    _require(count <= MOST_PAGES, f"{count} pages")
    return count


def _require(small_enough: bool, told: str) -> None:
    if not small_enough:
        raise Failure("SCAN-TOO-LARGE", told)


def _plain(picture: Image.Image) -> Image.Image:
    """In grey or RGB, on white where it was transparent."""
    if picture.mode in ("L", "RGB"):
        return picture
    if picture.mode == "F" or picture.mode.startswith("I"):
        deep = picture.convert("F")
        low, high = (float(str(level)) for level in deep.getextrema())
        slope = 255 / max(high - low, 1.0)
        return deep.point(lambda level: level * slope - low * slope).convert("L")
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(white, seen).convert("RGB")
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _page(picture: Image.Image) -> Page:
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    angle = skew(picture)
    if abs(angle) >= _LEAST_TURN:
        picture = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=_edge(picture))
    picture = cut_to_paper(picture)
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BICUBIC)
    if picture.mode == "RGB" and not _coloured(picture):
        picture = picture.convert("L")
    return _compressed(picture)


def _edge(picture: Image.Image) -> int | tuple[int, ...]:
    """The colour around the page: the middle one of the outermost pixels, for the corners a turn opens."""
    small = picture.resize((32, 32), Image.Resampling.BOX)
    rim = [small.getpixel((at, side)) for at in range(32) for side in (0, 31)]
    rim += [small.getpixel((side, at)) for at in range(32) for side in (0, 31)]
    bands = list(zip(*rim, strict=True)) if picture.mode == "RGB" else [rim]
    middle = tuple(sorted(band)[len(band) // 2] for band in bands)
    return middle if picture.mode == "RGB" else middle[0]


def _coloured(picture: Image.Image) -> bool:
    """Whether there is more than grey on it: a red seal must stay red."""
    small = picture.resize((200, 200), Image.Resampling.BOX).convert("HSV")
    strong = small.getchannel("S").point(lambda level: 255 if level > 70 else 0)
    light = small.getchannel("V").point(lambda level: 255 if level > 60 else 0)
    both = Image.composite(strong, Image.new("L", small.size), light)
    return both.histogram()[255] > _COLOURED * 200 * 200


def _compressed(picture: Image.Image) -> Page:
    """As a JPEG that is small enough: first coarser, then smaller."""
    while True:
        for quality in _QUALITIES:
            out = BytesIO()
            picture.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= LARGEST_PAGE:
                return Page(out.getvalue(), picture.width, picture.height)
        smaller = max(1, picture.width * 4 // 5), max(1, picture.height * 4 // 5)
        picture = picture.resize(smaller, Image.Resampling.BOX)
