"""The words of the slips that no template changes: Chinese, and the English under or beside it."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    ZH = "zh"
    ZH_EN = "zh+en"


OFFICE_COPY = "存根"

ENGLISH = {
    "作废": "VOID",
    "本凭证不代表受理": "This voucher is not a notice of acceptance",
    "练习": "PRACTICE",
    "练习专用，不具效力": "For practice only, without any effect",
    OFFICE_COPY: "Office copy",
}

# How a material was handed over, by the word the slip carries.
MODES = {
    "seen": ("原件核验", "seen"),
    "paper": ("收取纸质", "paper"),
    "licence": ("电子证照", "e-licence"),
    "deferred": ("容缺后补", "to follow"),
    "promise": ("告知承诺", "promised"),
}

# Why numbers of a block will never be used, by the word the office is told.
VOID_REASONS = {"new-epoch": "本机重新登记"}


def ordinal_mark(reprint: int) -> str:
    """The mark of a reprint: `补打 第2次`."""
    return f"补打 第{reprint}次"
