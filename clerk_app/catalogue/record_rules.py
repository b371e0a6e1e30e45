"""What must hold for a catalogue somebody hands in, and what is said when it does not.

A *problem* leaves its row out: working with it would mislead a clerk. A *warning* lets it in: real catalogues
are dirty, and a filler for a body's code keeps nobody from being served. Reasons are failure codes; their
sentences are in `resources/failures/catalogue_import.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from clerk_app.domain.catalogue import ON_APPLICATION, Implementation, ItemKind, Material
from clerk_app.domain.identity import uscc_check_character

LEVELS = ("city", "county", "park", "town")
DAY_UNITS = ("working", "calendar")
HANDLINGS = ("on_the_spot", "promise")
"""办件类型 (GB/T 39046 A.6) by name: 即办件, 承诺件."""

FILLS = ("", "name", "number", "uscc", "sex", "birth", "ethnicity", "address", "valid_until")
MAX_DAYS = 3650
MAX_COUNT = 999
MAX_VERSION = 2**31 - 1

_CREDIT_CODE = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}")
_REGION = re.compile(r"[0-9]{6}|[A-Z]{2,8}[0-9]{2}")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong with one row: its line (from 1), the field ("" for the whole row) and a failure code.

    `detail` is for the integrator: a value or a place inside the field. The catalogue is public, so is this.
    """

    line: int
    field: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}" + (f", {self.field}" if self.field else "")
        return f"{place}: {self.reason}" + (f" ({self.detail})" if self.detail else "")


class Fault(NamedTuple):
    """A `RowProblem` before it knows its line."""

    field: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CodeProfile:
    """The shape of codes in one system. Another shape is a warning: codes are text and never truncated.

    `composed` says that an item code is body code, level digit and basic code joined.
    """

    kind: re.Pattern[str]
    item: re.Pattern[str]
    composed: bool = False


CODE_PROFILES = {
    # Basic code of 12, implementation code of 31: USCC 18, level 1, basic code 12.
    "national": CodeProfile(re.compile(r"[0-9A-Z]{12}"), re.compile(r"[0-9A-Z]{31}"), composed=True),
    # Sichuan's platform: basic code, region of 12, 000, body code, 1, 00, joined by hyphens.
    "sichuan": CodeProfile(
        re.compile(r"[0-9A-Z]{12,14}"),
        re.compile(r"[0-9A-Z]{12,14}-[0-9]{12}-000-[0-9A-Z]{18}-[0-9]-[0-9]{2}"),
    ),
}


def kind_faults(kind: ItemKind, handling: str = "") -> Iterator[Fault]:
    """Why a kind cannot be taken. `handling` is one of HANDLINGS, or empty when the row does not say."""
    for field in ("code", "name"):
        if not getattr(kind, field).strip():
            yield Fault(field, "IMPORT-MISSING")
    for field in ("legal_days", "promised_days"):
        if not 0 <= getattr(kind, field) <= MAX_DAYS:
            yield Fault(field, "IMPORT-OUT-OF-RANGE", str(getattr(kind, field))[:40])
    if not 0 <= kind.visits <= MAX_COUNT:
        yield Fault("visits", "IMPORT-OUT-OF-RANGE", str(kind.visits)[:40])
    if kind.day_unit not in DAY_UNITS:
        yield Fault("day_unit", "IMPORT-UNKNOWN-WORD", kind.day_unit[:40])
    yield from _promise_faults(kind.promised_days, kind.legal_days, handling)
    for material in kind.materials:
        yield from _material_faults(kind, material)
    for field in ("situations", "fields", "materials"):
        keys = [part.key for part in getattr(kind, field)]
        if len(set(keys)) != len(keys):
            yield Fault(field, "IMPORT-DUPLICATE", ", ".join(sorted({k for k in keys if keys.count(k) > 1})))


def _promise_faults(promised: int, legal: int, handling: str) -> Iterator[Fault]:
    """承诺 ≤ 法定; an item decided on the spot (即办件) promises no days."""
    if promised > legal:
        yield Fault("promised_days", "IMPORT-PROMISE-OVER-LEGAL", f"{promised} > {legal}"[:40])
    if handling and handling not in HANDLINGS:
        yield Fault("handling", "IMPORT-UNKNOWN-WORD", handling[:40])
    if (handling == "on_the_spot" and promised > 0) or (handling == "promise" and promised == 0):
        yield Fault("handling", "IMPORT-SPOT-WITH-DAYS", f"{handling}, {promised}"[:40])


def _material_faults(kind: ItemKind, material: Material) -> Iterator[Fault]:
    """A material must have a name, sane counts, and a condition that some answers can meet.

    A condition no answer meets would hide the material from the clerk for ever.
    """
    if not material.key.strip() or not material.name.strip():
        yield Fault("materials", "IMPORT-MISSING", material.key[:40])
    if not (0 <= material.originals <= MAX_COUNT and 0 <= material.copies <= MAX_COUNT):
        yield Fault("materials", "IMPORT-OUT-OF-RANGE", material.key[:40])
    answers = {situation.key: {choice.key for choice in situation.choices} for situation in kind.situations}
    for term in material.when.split("&") if material.when else ():
        question, _, answer = term.partition("=")
        if answer not in answers.get(question, ()):
            yield Fault("materials", "IMPORT-HIDDEN-MATERIAL", f"{material.key}: {term}"[:80])


def kind_warnings(kind: ItemKind, profile: CodeProfile) -> Iterator[Fault]:
    """What a guide lacks, and codes of another shape. Ex officio kinds need no guide for applicants."""
    if not profile.kind.fullmatch(kind.code):
        yield Fault("code", "IMPORT-CODE-SHAPE", kind.code[:60])
    for field in kind.fields:
        if field.fill not in FILLS:
            yield Fault("fields", "IMPORT-UNKNOWN-WORD", f"{field.key}: {field.fill}"[:80])
    if kind.type not in ON_APPLICATION:
        return
    for name in ("legal_basis", "conditions", "process", "fee", "result", "materials", "faq"):
        if not getattr(kind, name):
            yield Fault(name, "IMPORT-GUIDE-GAP")
    if kind.visits and not kind.visits_reason:
        yield Fault("visits_reason", "IMPORT-VISITS-REASON", str(kind.visits))


def item_faults(item: Implementation) -> Iterator[Fault]:
    """Why an item cannot be taken, as far as its own row tells."""
    for field in ("code", "kind", "body_code", "body_name", "region"):
        if not getattr(item, field).strip():
            yield Fault(field, "IMPORT-MISSING")
    if item.level not in LEVELS:
        yield Fault("level", "IMPORT-UNKNOWN-WORD", item.level[:40])
    if item.promised_days is not None and not 0 <= item.promised_days <= MAX_DAYS:
        yield Fault("promised_days", "IMPORT-OUT-OF-RANGE", str(item.promised_days)[:40])
    if not 0 < item.version <= MAX_VERSION:
        yield Fault("version", "IMPORT-OUT-OF-RANGE", str(item.version)[:40])
    if item.valid_from and item.valid_to and item.valid_to < item.valid_from:
        yield Fault("valid_to", "IMPORT-DATES-REVERSED", f"{item.valid_from} – {item.valid_to}")


def item_kind_faults(item: Implementation, kind: ItemKind | None, handling: str = "") -> Iterator[Fault]:
    """Why an item cannot be taken, measured against its kind (None: nobody knows the kind)."""
    if kind is None:
        yield Fault("kind", "IMPORT-UNKNOWN-KIND", item.kind[:60])
        return
    promised = kind.promised_days if item.promised_days is None else item.promised_days
    yield from _promise_faults(promised, kind.legal_days, handling)


def item_warnings(item: Implementation, profile: CodeProfile) -> Iterator[Fault]:
    """Dirty codes and guide elements the body has not filled in."""
    if not is_credit_code(item.body_code):
        yield Fault("body_code", "IMPORT-BODY-CODE", item.body_code[:40])
    if not _REGION.fullmatch(item.region):
        yield Fault("region", "IMPORT-REGION", item.region[:40])
    if not profile.item.fullmatch(item.code):
        yield Fault("code", "IMPORT-CODE-SHAPE", item.code[:60])
    elif profile.composed and not (item.code.startswith(item.body_code) and item.code.endswith(item.kind)):
        yield Fault("code", "IMPORT-CODE-PARTS", item.code[:60])
    for name in ("advice_phone", "supervision_phone", "address", "hours"):
        if not getattr(item, name):
            yield Fault(name, "IMPORT-GUIDE-GAP")


def is_credit_code(code: str) -> bool:
    """A GB 32100 code with the right check character; fillers such as 2222222222222 are not."""
    return bool(_CREDIT_CODE.fullmatch(code)) and uscc_check_character(code[:17]) == code[17]
