"""The sample item kinds: hand-written entries of `resources/sample/kinds/*.toml`, filled up and expanded.

An entry names only what is its own. Shared snippets, what every applicant of its audience brings and the
questions everybody asks come from `_shared.toml`; `variants` (新办, 变更, …) and the lists `a` and `b`
(regulated parties and their acts) make one kind each. A kind's basic code is its place in its file: append,
never insert.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from typing import Any

from clerk_app.domain.catalogue import (
    ON_APPLICATION,
    Audience,
    Choice,
    Faq,
    FieldKind,
    FormField,
    ItemKind,
    ItemType,
    Material,
    OfflineRule,
    Situation,
)
from practice.sample_bodies import administration

PROVINCE = "51"

TYPE_CODES = {
    ItemType.LICENCE: "01",
    ItemType.PENALTY: "02",
    ItemType.COERCION: "03",
    ItemType.LEVY: "04",
    ItemType.PAYMENT: "05",
    ItemType.INSPECTION: "06",
    ItemType.CONFIRMATION: "07",
    ItemType.REWARD: "08",
    ItemType.ADJUDICATION: "09",
    ItemType.OTHER_POWER: "10",
    ItemType.PUBLIC_SERVICE: "20",
}
"""GB/T 39046 A.1, as the two digits of a basic code."""

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SampleKind:
    """One kind and who has it. `featured`: an everyday one, implemented by every body that can."""

    kind: ItemKind
    levels: frozenset[str]
    featured: bool
    parks: bool


@dataclass(frozen=True, slots=True)
class _Variation:
    """One product of an entry: the values of its lists, the name of its variant and what that changes."""

    number: int
    a: str = ""
    b: str = ""
    variant: str = ""
    first: bool = True  # of its variants, or there are none

    def fill(self, text: str) -> str:
        for key, value in (("{a}", self.a), ("{b}", self.b), ("{variant}", self.variant)):
            text = text.replace(key, value)
        return text


def _files() -> Iterator[tuple[str, dict[str, Any]]]:
    folder = resources.files("resources") / "sample" / "kinds"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield file.name.removesuffix(".toml"), tomllib.loads(file.read_text(encoding="utf-8"))


def _variations(entry: Entry) -> Iterator[_Variation]:
    if "a" not in entry and "variants" not in entry:
        yield _Variation(0)
        return
    combinations = product(entry.get("a", [""]), entry.get("b", [""]), entry.get("variants", [""]))
    first = entry["variants"][0] if "variants" in entry else ""
    for number, (a, b, variant) in enumerate(combinations, 1):
        yield _Variation(number, a, b, variant, variant == first)


class _Shared:
    """The snippets of `_shared.toml`, looked up by key."""

    def __init__(self, data: Entry) -> None:
        self.data = data
        self.agent = _situation(data["agent_situation"])

    def material(self, entry: str | Entry, number: int) -> Material:
        if isinstance(entry, str):
            return self.material({"key": entry, **self.data["materials"][entry]}, number)
        values = {
            "key": f"own-{number}",
            "basis": self.data["material_basis"],
            "source": self.data["material_source"],
            **entry,
        }
        if not values.get("originals") and not values.get("copies"):
            values["originals"] = 1
        return Material(**values)

    def field(self, entry: str | Entry, number: int) -> FormField:
        if isinstance(entry, str):
            return self.field({"key": entry, **self.data["fields"][entry]}, number)
        values = {"key": f"own-{number}", **entry}
        values["choices"] = tuple(values.get("choices", ()))
        values["kind"] = FieldKind(values.get("kind", "choice" if values["choices"] else "text"))
        return FormField(**values)


def _situation(entry: Entry) -> Situation:
    choices = entry["choices"]
    if isinstance(choices, dict):
        choices = [{"key": key, "label": label} for key, label in choices.items()]
    return Situation(
        entry["key"],
        entry["label"],
        tuple(Choice(**choice) for choice in choices),
        entry.get("label_en", ""),
    )


def _aliases(entry: Entry, changes: Entry, variation: _Variation) -> tuple[str, ...]:
    """The entry's spoken names; a later variant appends its own word to each of them."""
    own = tuple(variation.fill(alias) for alias in entry.get("aliases", ()))
    if not changes:
        return own
    short = entry.get("short") or entry["name"].replace("{variant}", "")
    general = tuple(alias.replace("{short}", short) for alias in changes.get("aliases", ()))
    if variation.first:
        return own + general
    return tuple(alias + variation.variant for alias in own) + general


def _name_en(entry: Entry, changes: Entry, variation: _Variation) -> str:
    """The English name: `en`, the English of the list's value, the English of the variant."""
    name = str(entry.get("en", ""))
    for values, value in (("a", variation.a), ("b", variation.b)):
        if value and f"{values}_en" in entry:
            name += f": {entry[f'{values}_en'][entry[values].index(value)]}"
    if not name or not variation.variant:
        return name
    own = changes.get("en") or entry["variants_en"][entry["variants"].index(variation.variant)]
    return f"{name} ({own})"


def _days(entry: Entry, office: Entry, changes: Entry) -> tuple[int, int]:
    legal, promised = entry.get("days") or office.get("days") or (20, 10)
    share = changes.get("share", 1.0)
    return legal, round(promised * share)


def _questions(own: list[list[str]], more: list[list[str]], words: Mapping[str, str]) -> tuple[Faq, ...]:
    """The entry's questions, then shared ones until there are two."""
    questions = own + more[: max(0, 2 - len(own))]

    def said(text: str) -> str:
        for key, value in words.items():
            text = text.replace(f"{{{key}}}", value)
        return text

    return tuple(Faq(said(question), said(answer)) for question, answer in questions)


def _kind(code: str, entry: Entry, variation: _Variation, shared: _Shared) -> ItemKind:
    """The kind of `entry` (its file's defaults already below it) in one variation."""
    data = shared.data
    type_ = ItemType(entry["type"])
    audience = Audience(entry["audience"])
    office: Entry = data["types"].get(type_.value, {})
    changes: Entry = data["variants"].get(variation.variant, {})
    later = changes if not variation.first else {}
    name = variation.fill(entry["name"] if "{variant}" in entry["name"] else entry["name"] + "{variant}")
    name_en = _name_en(entry, changes, variation)
    legal, promised = _days(entry, office, later)
    filed = type_ in ON_APPLICATION
    group = audience.value if filed and not entry.get("bare") else ""
    own_materials = later.get("materials") or entry.get("materials") or office.get("materials", [])
    own_fields = later.get("fields") or entry.get("fields") or office.get("fields", [])
    materials = [*(data["groups"]["materials"][group] if group else ()), *own_materials]
    fields = [*(data["groups"]["fields"][group] if group else ()), *own_fields] if filed else []
    agents = group and not entry.get("in_person")
    if not agents:
        materials = [material for material in materials if material not in ("agent_letter", "agent_id")]
    situations = [_situation(situation) for situation in (entry.get("situations", ()) if not later else ())]
    fee = entry.get("fee") or office.get("fee") or data["fee"]
    unit = entry.get("day_unit") or office.get("day_unit", "working")
    days_word = "个工作日" if unit == "working" else "日（自然日）"
    time = f"法定{legal}{days_word}，承诺{promised}{days_word}" if promised else "材料齐全的当场办结"
    process = (
        entry.get("process") or office.get("process") or data["process"]["promise" if promised else "spot"]
    )
    visits = entry.get("visits", 1) if filed else 0
    shared_faq = [*office.get("faq", ()), *data["faq"]["any"]]
    subject = "单位" if audience is Audience.ORGANISATION else "申请人"
    conditions = later.get("conditions") or entry.get("conditions") or office.get("conditions", "")
    return ItemKind(
        code=code,
        name=name,
        type=type_,
        audience=audience,
        name_en=name_en,
        department=entry["department"],
        aliases=_aliases(entry, changes, variation),
        themes=tuple(entry.get("themes", ())),
        legal_basis=variation.fill(entry["basis"]) + "（示例引用）",
        conditions=variation.fill(conditions.replace("{subject}", subject)),
        process=process + data["mark"],
        legal_days=legal,
        promised_days=promised,
        day_unit=unit,
        fee=fee,
        result=variation.fill(entry.get("result") or office.get("result", "")),
        visits=visits,
        offline=_offline(entry, type_, promised),
        situations=((shared.agent,) if agents else ()) + tuple(situations),
        fields=tuple(shared.field(field, number) for number, field in enumerate(fields, 1)),
        materials=tuple(shared.material(material, number) for number, material in enumerate(materials, 1)),
        faq=_questions(
            [*(later.get("faq") or entry.get("faq", ()))],
            shared_faq,
            {"name": name, "time": time, "fee": fee},
        ),
        visits_reason=entry.get("visits_reason", "需核验身份、收取材料原件") if visits else "",
    )


def _offline(entry: Entry, type_: ItemType, promised: int) -> OfflineRule:
    if type_ not in ON_APPLICATION:
        return OfflineRule.NOTHING
    if "offline" in entry:
        return OfflineRule(entry["offline"])
    return OfflineRule.RECEIVE if promised else OfflineRule.ACCEPT


@cache
def sample_kinds() -> tuple[SampleKind, ...]:
    """All sample kinds in the order of the files. Raises ValueError when two share a code or a name."""
    numbers = {department.short: department.number for department in administration().departments}
    files = dict(_files())
    shared = _Shared(files.pop("_shared"))
    found: list[SampleKind] = []
    used: dict[tuple[str, str], int] = {}
    for data in files.values():
        defaults = data.get("defaults", {})
        for own in data["kind"]:
            entry = {**defaults, **own}
            start = (numbers[entry["department"]], TYPE_CODES[ItemType(entry["type"])])
            main = used[start] = max(used.get(start, 0), defaults.get("first", 0)) + 1
            for variation in _variations(entry):
                code = f"{PROVINCE}{start[1]}{start[0]}{main:03d}{variation.number:03d}"
                kind = _kind(code, entry, variation, shared)
                many = "a" in entry
                usual = not many and variation.first
                found.append(
                    SampleKind(
                        kind,
                        frozenset(entry.get("levels", ("city", "county"))),
                        featured=entry.get("featured", usual),
                        parks=entry.get("parks", not many and kind.type in ON_APPLICATION),
                    )
                )
    _refuse_doubles([each.kind for each in found])
    return tuple(found)


def _refuse_doubles(kinds: list[ItemKind]) -> None:
    for what in ("code", "name"):
        values = [getattr(kind, what) for kind in kinds]
        if len(set(values)) != len(values):
            twice = sorted({value for value in values if values.count(value) > 1})
            raise ValueError(f"sample kinds share a {what}: {', '.join(twice)}")
