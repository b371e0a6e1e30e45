"""QR codes and CODE128 as dots, 255 black on 0, for printers without them and for the simulated one."""

from __future__ import annotations

import barcode
import qrcode
from PIL import Image

_LEVELS = (
    qrcode.constants.ERROR_CORRECT_L,
    qrcode.constants.ERROR_CORRECT_M,
    qrcode.constants.ERROR_CORRECT_Q,
    qrcode.constants.ERROR_CORRECT_H,
)


def qr(data: str, module: int, correction: int) -> Image.Image:
    """`correction` is 0 to 3 for L, M, Q, H; `module` the side of one square. No quiet zone.

    Raises ValueError for more data than a QR code holds.
    """
    code = qrcode.QRCode(error_correction=_LEVELS[correction], border=0)
    code.add_data(data)
    try:
        code.make(fit=True)
    except qrcode.exceptions.DataOverflowError as error:
        raise ValueError("more data than a QR code holds") from error
    rows = code.get_matrix()
    picture = Image.new("L", (len(rows), len(rows)))
    picture.putdata([255 if dark else 0 for row in rows for dark in row])
    side = len(rows) * module
    return picture.resize((side, side), Image.Resampling.NEAREST)


def code128(data: str, module: int, height: int) -> Image.Image:
    """The bars of `data`, the thinnest `module` dots wide. Raises ValueError for what CODE128 cannot say."""
    try:
        bars = barcode.Code128(data).build()[0]
    except barcode.errors.BarcodeError as error:
        raise ValueError(str(error)) from error
    picture = Image.new("L", (len(bars), 1))
    picture.putdata([255 if bar == "1" else 0 for bar in bars])
    return picture.resize((len(bars) * module, height), Image.Resampling.NEAREST)
