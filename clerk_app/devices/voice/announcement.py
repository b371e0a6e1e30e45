"""What the voice says: a ticket and a window, never a name."""

from __future__ import annotations

import re

_DIGITS = "零一二三四五六七八九"
_NUMBER = re.compile(r"(?<!\d)\d{1,3}(?!\d)")


def announcement(ticket: str, window: str, language: str) -> str:
    """The sentence that calls `ticket` to `window` in "zh" or "en".

    The ticket is spelt sign by sign, as it stands on the paper in the citizen's hand. Its 1 is 一, as queue
    machines say it: 幺 belongs to telephone and room numbers and is not understood everywhere. A window that
    is a number is told as a number; one with a name by its name. An English voice cannot read a Chinese name
    and says the number in it, or nothing of it.
    """
    if language == "zh":
        spelt = " ".join(_DIGITS[int(sign)] if sign in "0123456789" else sign for sign in ticket)
        return f"请 {spelt} 号，到 {_window_zh(window)}。"
    called = f"Ticket {' '.join(ticket)}"
    place = _window_en(window)
    return f"{called}, please go to {place}." if place else f"{called}, please. It is your turn."


def _window_zh(window: str) -> str:
    if _NUMBER.fullmatch(window):
        return f"{_cardinal(int(window))}号窗口"
    return _NUMBER.sub(lambda found: _cardinal(int(found[0])), window)


def _cardinal(number: int) -> str:
    """0 to 999 in words: written out, so that no engine has to guess how a figure is meant."""
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        link = "" if rest == 0 else "零" if rest < 10 else "一" if rest < 20 else ""
        return f"{_DIGITS[hundreds]}百{link}{_cardinal(rest) if rest else ''}"
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def _window_en(window: str) -> str:
    if _NUMBER.fullmatch(window):
        return f"window {int(window)}"
    if window.isascii():
        return window
    number = _NUMBER.search(window)
    return f"window {int(number[0])}" if number else ""
