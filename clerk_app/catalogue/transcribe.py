"""Characters into pinyin, at the back office only: pypinyin knows words, the window what it was told."""

from __future__ import annotations

from collections.abc import Iterable

from pypinyin import Style, lazy_pinyin, pinyin

from clerk_app.catalogue.text import is_plain

SEVERAL_READINGS = {
    "行": "xing hang", "重": "zhong chong", "长": "chang zhang", "乐": "le yue", "率": "lv shuai",
    "参": "can shen", "调": "diao tiao", "会": "hui kuai", "单": "dan shan", "解": "jie xie",
    "还": "hai huan", "降": "jiang xiang", "藏": "cang zang", "朝": "chao zhao", "传": "chuan zhuan",
    "弹": "dan tan", "曾": "zeng ceng", "差": "cha chai", "车": "che ju", "石": "shi dan",
    "校": "xiao jiao", "给": "gei ji", "强": "qiang jiang", "角": "jiao jue", "觉": "jue jiao",
    "省": "sheng xing", "宿": "su xiu", "系": "xi ji", "厦": "xia sha", "血": "xue xie",
    "薄": "bao bo", "露": "lu lou", "落": "luo la", "模": "mo mu", "属": "shu zhu",
    "区": "qu ou", "查": "cha zha", "卡": "ka qia", "提": "ti di", "折": "zhe she",
    "都": "du dou", "得": "de dei", "地": "di de", "的": "de di", "了": "le liao",
    "着": "zhe zhuo", "大": "da dai", "畜": "xu chu", "育": "yu yo", "辟": "pi bi",
    "圈": "quan juan", "壳": "ke qiao", "熟": "shu shou", "剥": "bo bao", "削": "xue xiao",
    "色": "se shai", "塞": "sai se", "贾": "jia gu", "盛": "sheng cheng", "乘": "cheng sheng",
    "澄": "cheng deng", "仇": "chou qiu", "尉": "wei yu", "种": "zhong chong", "氏": "shi zhi",
    "粘": "zhan nian", "咽": "yan ye", "偻": "lou lv", "绿": "lv lu", "蔓": "man wan",
    "秘": "mi bi", "泌": "mi bi", "娜": "na nuo", "说": "shuo shui", "缩": "suo su",
    "腌": "yan a", "钥": "yao yue", "约": "yue yao", "择": "ze zhai", "柏": "bai bo",
    "堡": "bao pu", "便": "bian pian", "伯": "bo bai",
}  # fmt: skip
"""Common readings of characters that have more than one and stand in the names of items; tones do not count.

pypinyin picks one by the word around it; the others are indexed as well, because people type them.
"""


def spell(text: str) -> list[str]:
    """One syllable a character of a folded text ("lv" for lü); letters and digits stand for themselves."""
    syllables = " ".join(lazy_pinyin(text, errors=" ".join)).split(" ") if text else []
    return [
        character if is_plain(character) else syllable if _is_syllable(syllable) else ""
        for character, syllable in zip(text, syllables, strict=True)
    ]


def readings(character: str) -> tuple[str, ...]:
    """The syllables of one character, the usual one first."""
    usual = spell(character)
    known = [reading for each in pinyin(character, Style.NORMAL, heteronym=True) for reading in each]
    common = SEVERAL_READINGS.get(character, "").split()
    wanted = [*usual, *(reading for reading in common if reading in known)]
    return tuple(dict.fromkeys(reading for reading in wanted if reading))


def known_characters() -> Iterable[str]:
    """The ideographs a clerk may type: those of GB 2312, which every input method offers first."""
    for row in range(0xB0, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                yield bytes((row, cell)).decode("gb2312")
            except UnicodeDecodeError:
                continue


def _is_syllable(text: str) -> bool:
    return text.isascii() and any(vowel in text for vowel in "aeiouv")
