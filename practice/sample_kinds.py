"""The sample item kinds: hand-written entries of `resources/sample/kinds/*.toml`, filled up and expanded.

An entry names only what is its own. Shared snippets, what every applicant of its audience brings and the
questions everybody asks come from `_shared.toml`; `variants` (新办, 变更, …) and the lists `a` and `b`
(regulated parties and their acts) make one kind each. `only` says what holds for some variants of an entry,
`spoken` what people call a single one. A kind's basic code is its place in its file: append, never insert.
"""

from __future__ import annotations

import tomllib
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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

_DOING = frozenset("开办补换卖跑打学考建装")
"""How spoken names begin that say what people do (开饭店) and not what they hold; 变更 cannot follow them."""

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
    spoken = entry.get("spoken", {})
    said = (*spoken.get(variation.a, ()), *spoken.get(variation.variant, ()))
    if not changes:
        return (*said, *own)
    plain = variation.fill(entry["name"].replace("{variant}", ""))
    short = plain if variation.a or "short" not in entry else entry["short"]
    general = tuple(alias.replace("{short}", short) for alias in changes.get("aliases", ()))
    if variation.first:
        return (*said, *own, *general)
    things = [alias for alias in (*own, *spoken.get(variation.a, ())) if alias[0] not in _DOING]
    return (*spoken.get(variation.variant, ()), *(alias + variation.variant for alias in things), *general)


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


def _questions(own: list[list[str]], more: list[list[str]], words: Mapping[str, str]) -> tuple[Faq, ...]:
    """The entry's questions, then shared ones until there are two."""
    questions = own + more[: max(0, 2 - len(own))]

    def said(text: str) -> str:
        for key, value in words.items():
            text = text.replace(f"{{{key}}}", value)
        return text

    return tuple(Faq(said(question), said(answer)) for question, answer in questions)


def _guide(entry: Entry, variation: _Variation, shared: Entry) -> ChainMap[str, Any]:
    """What a guide says, the nearest first: this variant only, such variants, the entry, its type, all."""
    only: dict[str, Any] = next((own for own in entry.get("only", ()) if variation.variant in own["of"]), {})
    changes = {} if variation.first else shared["variants"].get(variation.variant, {})
    later = {"situations": (), **changes} if changes else {}
    office = shared["types"].get(entry["type"], {})
    return ChainMap(only, later, dict(entry), office, shared["guide"])


def _times(guide: Entry) -> tuple[int, int, str]:
    """Legal days, promised days, and both in words."""
    legal, promised = guide["days"]
    promised = round(promised * guide.get("share", 1.0))
    unit = "个工作日" if guide["day_unit"] == "working" else "日（自然日）"
    if not promised:
        return legal, 0, "材料齐全的当场办结"
    return legal, promised, f"法定{legal}{unit}，承诺{promised}{unit}"


def _papers(guide: Entry, variation: _Variation, shared: _Shared, group: str) -> Iterator[Material]:
    """What the applicant's group always brings, then what the guide asks for."""
    entries = [*(shared.data["groups"]["materials"][group] if group else ()), *guide["materials"]]
    if not group or guide.get("in_person"):
        entries = [entry for entry in entries if entry not in ("agent_letter", "agent_id")]
    for number, entry in enumerate(entries, 1):
        material = shared.material(entry, number)
        yield replace(material, name=variation.fill(material.name))


def _kind(code: str, entry: Entry, variation: _Variation, shared: _Shared) -> ItemKind:
    """The kind of `entry` (its file's defaults already below it) in one variation."""
    data = shared.data
    guide = _guide(entry, variation, data)
    type_, audience = ItemType(guide["type"]), Audience(guide["audience"])
    filed = type_ in ON_APPLICATION
    group = audience.value if filed else ""
    legal, promised, time = _times(guide)
    name = variation.fill(guide["name"] if "{variant}" in guide["name"] else guide["name"] + "{variant}")
    fields = [*data["groups"]["fields"][group], *guide["fields"]] if filed else []
    situations = [_situation(situation) for situation in guide["situations"]]
    if filed and not guide.get("in_person"):
        situations.insert(0, shared.agent)
    process = guide.get("process") or data["process"]["promise" if promised else "spot"]
    subject = "单位" if audience is Audience.ORGANISATION else "申请人"
    visits = guide["visits"] if filed else 0
    more_faq = [*data["types"].get(type_.value, {}).get("faq", ()), *data["faq"]["any"]]
    words = {"name": name, "time": time, "fee": guide["fee"]}
    changes = data["variants"].get(variation.variant, {})
    return ItemKind(
        code=code,
        name=name,
        type=type_,
        audience=audience,
        name_en=_name_en(entry, changes, variation),
        department=guide["department"],
        aliases=tuple(dict.fromkeys(a for a in _aliases(entry, changes, variation) if a != name)),
        themes=tuple(guide["themes"]),
        legal_basis=variation.fill(guide["basis"]) + "（示例引用）",
        conditions=variation.fill(guide["conditions"].replace("{subject}", subject)),
        process=process + data["mark"],
        legal_days=legal,
        promised_days=promised,
        day_unit=guide["day_unit"],
        fee=guide["fee"],
        result=variation.fill(guide["result"]),
        visits=visits,
        offline=_offline(guide, type_, promised),
        situations=tuple(situations),
        fields=tuple(shared.field(field, number) for number, field in enumerate(fields, 1)),
        materials=tuple(_papers(guide, variation, shared, group)),
        faq=_questions([*guide["faq"]], more_faq, words),
        visits_reason=guide["visits_reason"] if visits else "",
    )


def _offline(guide: Entry, type_: ItemType, promised: int) -> OfflineRule:
    if type_ not in ON_APPLICATION:
        return OfflineRule.NOTHING
    if "offline" in guide:
        return OfflineRule(guide["offline"])
    on_the_spot = not promised and type_ is ItemType.PUBLIC_SERVICE
    return OfflineRule.ACCEPT if on_the_spot else OfflineRule.RECEIVE


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
