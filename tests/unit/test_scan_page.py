"""A picture of a page becomes a straight, small page of paper, and nothing else."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from page_samples import encoded, photograph, sheet
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from clerk_app.devices.scanner import page
from clerk_app.devices.scanner.skew import skew
from clerk_app.failures import Failure


def opened(made: page.Page) -> Image.Image:
    picture = Image.open(BytesIO(made.content))
    picture.load()
    assert (picture.format, picture.size) == ("JPEG", (made.width, made.height))
    return picture


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


@pytest.mark.parametrize("degrees", [-9.0, -5.3, -2.0, -0.4, 0.0, 0.3, 1.7, 4.0, 8.6])
def test_a_page_laid_askew_is_made_straight_and_cut_to_its_paper(degrees: float) -> None:
    laid = photograph(sheet(), degrees, (1500, 2000))
    assert skew(laid) == pytest.approx(degrees, abs=0.15)
    (made,) = page.pages(encoded(laid, quality=90))
    assert made.width / made.height == pytest.approx(1240 / 1754, rel=0.02), "the table is still there"
    assert abs(skew(opened(made))) < 0.15


def test_a_page_of_twelve_megapixels_becomes_a_small_one_that_keeps_its_red_seal() -> None:
    data = encoded(photograph(sheet(), 3.0), quality=92)
    (made,) = page.pages(data)
    assert len(made.content) <= page.LARGEST_PAGE
    assert max(made.width, made.height) <= page.LONG_SIDE
    picture = opened(made)
    assert picture.mode == "RGB"
    red = sum(r > g + 60 and r > b + 60 for r, g, b in picture.resize((400, 560)).get_flattened_data())
    assert red > 400


def test_print_without_colour_is_kept_in_grey() -> None:
    (made,) = page.pages(encoded(sheet(seal=False), "PNG"))
    assert opened(made).mode == "L"


@pytest.mark.parametrize("lines", [0, 1])
def test_where_there_is_nothing_to_tell_nothing_is_turned(lines: int) -> None:
    assert skew(sheet(lines=lines)) == 0.0
    assert skew(Image.new("L", (1000, 1400), 255)) == 0.0
    portrait = Image.new("L", (1000, 640), 200)
    ImageDraw.Draw(portrait).ellipse((650, 100, 900, 400), fill=60)
    assert skew(portrait) == 0.0


def test_a_page_of_a_flatbed_is_not_cut() -> None:
    (made,) = page.pages(encoded(sheet(), "PNG"))
    assert (made.width, made.height) == (1240, 1754)


def test_a_dark_picture_with_a_light_spot_is_not_taken_for_paper() -> None:
    picture = Image.new("L", (900, 600), 40)
    ImageDraw.Draw(picture).ellipse((300, 200, 500, 400), fill=220)
    (made,) = page.pages(encoded(picture))
    assert (made.width, made.height) == (900, 600)


def test_a_page_lies_upright_and_forgets_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees
    exif[0x0110] = "Sample Camera"
    (made,) = page.pages(encoded(sheet().rotate(90, expand=True), exif=exif.tobytes()))
    assert made.height > made.width
    assert not opened(made).getexif()
    assert b"Sample Camera" not in made.content


def test_every_page_of_a_fax_becomes_one() -> None:
    first, *others = (sheet(lines=count).convert("1") for count in (40, 20, 5))
    data = encoded(first, "TIFF", save_all=True, append_images=others, compression="group4")
    assert len(page.pages(data)) == 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_every_kind_of_picture_is_read(kind: str) -> None:
    assert len(page.pages(encoded(sheet().resize((310, 438)), kind))) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I", "I;16", "F", "YCbCr"])
def test_every_mode_of_pixels_is_read(mode: str) -> None:
    picture = Image.new("L", (80, 60), 255)
    ImageDraw.Draw(picture).rectangle((10, 10, 40, 30), fill=0)
    if mode in ("I", "I;16", "F"):
        picture = picture.convert("I").point(lambda level: level * 200).convert(mode)
    made = opened(page.pages(encoded(picture.convert(mode), "TIFF"))[0]).convert("L")
    assert made.getpixel((25, 20)) < 60
    assert made.getpixel((70, 50)) > 200


def test_what_is_transparent_is_paper() -> None:
    picture = Image.new("RGBA", (80, 60), (0, 0, 0, 0))
    made = opened(page.pages(encoded(picture, "PNG"))[0])
    assert made.convert("L").getpixel((40, 30)) > 250


def test_a_picture_full_of_detail_is_made_small_all_the_same() -> None:
    noise = Image.merge("RGB", [Image.effect_noise((2000, 1500), 90) for _ in range(3)])
    (made,) = page.pages(encoded(noise.filter(ImageFilter.UnsharpMask(2, 300))))
    assert len(made.content) <= page.LARGEST_PAGE


def test_what_is_no_picture_is_refused() -> None:
    whole = encoded(sheet())
    for data in (b"", b"hello", whole[: len(whole) // 2], b"GIF89a" + bytes(50)):
        with refused("SCAN-NO-IMAGE"):
            page.pages(data)
    with refused("SCAN-PDF"):
        page.pages(b"\n%PDF-1.7\n" + bytes(100))


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded() -> None:
    with refused("SCAN-TOO-LARGE"):
        page.pages(_png_header(30_000, 30_000))
    with refused("SCAN-TOO-LARGE"):
        page.pages(_png_header(9_000, 9_000))
    with refused("SCAN-TOO-LARGE"):
        page.pages(bytes(page.LARGEST_FILE + 1))
    first = Image.new("1", (8, 8))
    many = [first] * page.MOST_PAGES
    with refused("SCAN-TOO-LARGE"):
        page.pages(encoded(first, "TIFF", save_all=True, append_images=many))


def _png_header(width: int, height: int) -> bytes:
    """A PNG that says it is that large, and has next to nothing in it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


def test_the_same_picture_gives_the_same_page() -> None:
    data = encoded(photograph(sheet(), 2.0, (750, 1000)))
    first, second = page.pages(data)[0], page.pages(data)[0]
    assert first == second
    assert ImageChops.difference(opened(first), opened(second)).getbbox() is None
