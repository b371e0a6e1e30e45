"""The sample catalogue: 66,774 service items, the same ones at every run.

    python -m practice.sample_catalogue OUT.jsonl

The totals follow the published figures of a real city's platform (6,790 licences, 54,305 other powers, 5,679
public services; 6,677 items a district on average; four parks with 486, 440 and 842); what the items say is
made up. Which body claims which kind is drawn by a checksum, so that a rerun draws the same.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from clerk_app.catalogue.records import item_line, kind_line
from clerk_app.domain.catalogue import ON_APPLICATION, Implementation, ItemKind, ItemStatus, ItemType
from practice.sample_bodies import Body, Region, administration
from practice.sample_kinds import SampleKind, sample_kinds

LICENCE, SERVICE, POWER = "licence", "service", "power"

TOTALS = {LICENCE: 6_790, POWER: 54_305, SERVICE: 5_679}
CITY = {LICENCE: 718, POWER: 3_736, SERVICE: 459}
PARKS = {LICENCE: 486, POWER: 440, SERVICE: 842}
"""How many items of each class: all, the municipal departments', the four parks' together."""

LEVEL_DIGITS = {"city": "3", "county": "4", "park": "4", "town": "5"}
"""GB/T 39046 A.2; a park's committee acts as a county would."""


def class_of(type_: ItemType) -> str:
    """The class a type counts in: licence, service, or power for all the others."""
    if type_ is ItemType.LICENCE:
        return LICENCE
    return SERVICE if type_ is ItemType.PUBLIC_SERVICE else POWER


def kinds() -> tuple[ItemKind, ...]:
    """Every sample kind."""
    return tuple(each.kind for each in sample_kinds())


@dataclass(frozen=True, slots=True)
class _Claim:
    """One body that may implement one kind; claims are taken in the order of `rank`."""

    rank: tuple[int, int]
    kind: ItemKind
    body: Body


def _draw(*words: str) -> int:
    return zlib.crc32("/".join(words).encode())


def _claims(bodies: tuple[Body, ...], class_: str) -> list[_Claim]:
    """All claims `bodies` may make of `class_`, the ones to take first in front."""
    taken = frozenset(line for body in bodies for line in body.lines)
    claims: list[_Claim] = []
    for body in bodies:
        for line, each in _kinds_at(body.level, class_):
            if _responsible(body, line, taken):
                draw = _draw(body.region, each.kind.code, body.code)
                claims.append(_Claim((_tier(body, each, draw), draw), each.kind, body))
    return sorted(claims, key=lambda claim: claim.rank)


def _tier(body: Body, each: SampleKind, draw: int) -> int:
    """Everyday kinds first, then the rest of the offices but one in forty, then the rest of the towns."""
    if each.featured:
        return 1 if body.level == "town" else 0
    return 3 if body.level == "town" or draw % 40 == 0 else 2


@cache
def _kinds_at(level: str, class_: str) -> tuple[tuple[str, SampleKind], ...]:
    """(line of work, kind) of everything a body of `level` may have in `class_`."""
    return tuple(
        (each.kind.department, each)
        for each in sample_kinds()
        if class_of(each.kind.type) == class_
        and (each.parks and "county" in each.levels if level == "park" else level in each.levels)
    )


def _responsible(body: Body, line: str, taken: frozenset[str]) -> bool:
    """A town does all its level may; elsewhere the body of the line, or a park's committee for the rest."""
    return body.level == "town" or (line in body.lines if body.lines else line not in taken)


def _shares(total: int, weights: list[int]) -> list[int]:
    """`total` split by `weights`, whole numbers that add up (the first take the remainder)."""
    parts = [total * weight // sum(weights) for weight in weights]
    for at in range(total - sum(parts)):
        parts[at] += 1
    return parts


def _quotas() -> Iterator[tuple[tuple[Body, ...], str, int]]:
    """(bodies, class, how many they claim) for the city and every region."""
    office = administration()
    counties = [region for region in office.regions if region.level == "county"]
    parks = [region for region in office.regions if region.level == "park"]

    def split(regions: list[Region], class_: str, total: int) -> Iterator[tuple[tuple[Body, ...], str, int]]:
        for region, share in zip(regions, _shares(total, [each.share for each in regions]), strict=True):
            yield region.bodies, class_, share

    for class_, total in TOTALS.items():
        yield office.city, class_, CITY[class_]
        yield from split(counties, class_, total - CITY[class_] - PARKS[class_])
        yield from split(parks, class_, PARKS[class_])


def _implementation(claim: _Claim) -> Implementation:
    kind, body = claim.kind, claim.body
    office = administration()
    draw = _draw("item", body.code, kind.code)
    status, valid_from, valid_to = ItemStatus.PUBLISHED, date(2024, 1, 1), None
    if claim.rank[0] > 1:  # everyday items stay in force everywhere
        if draw % 1500 == 0:
            status = ItemStatus.RETIRED
        elif draw % 1500 == 1:
            valid_from = date(2099, 1, 1)
        elif draw % 1500 == 2:
            valid_to = date(2024, 12, 31)
    shorter = draw % 7 == 0 and kind.promised_days > 2
    return Implementation(
        code=f"{body.code}{LEVEL_DIGITS[body.level]}{kind.code}",
        kind=kind.code,
        body_code=body.code,
        body_name=body.name,
        region=body.region,
        level=body.level,
        status=status,
        version=1 + draw % 3,
        valid_from=valid_from,
        valid_to=valid_to,
        promised_days=kind.promised_days - 1 if shorter else None,
        advice_phone=_advice_phone(kind, office.phone),
        supervision_phone="" if draw % 997 == 0 else office.supervision_phone,
        address=body.address,
        hours=office.hours,
        window_decides=kind.type in ON_APPLICATION and kind.promised_days == 0,
    )


def _advice_phone(kind: ItemKind, phone: str) -> str:
    """The line of work's public hotline where the country has one, the placeholder elsewhere."""
    hotlines = {"人社": "12333", "医保": "12393", "税务": "12366", "公积金": "12329", "市场监管": "12315"}
    return hotlines.get(kind.department, phone)


def implementations() -> Iterator[Implementation]:
    """All items, city first, then the counties and parks, each in the order of its draw.

    Raises ValueError when the kinds do not suffice for the totals.
    """
    for bodies, class_, wanted in _quotas():
        claims = _claims(bodies, class_)
        if len(claims) < wanted:
            region = bodies[0].region
            raise ValueError(f"{region}: {len(claims)} {class_} claims, {wanted} wanted")
        for claim in claims[:wanted]:
            yield _implementation(claim)


def write_jsonl(path: Path) -> tuple[int, int]:
    """Write kinds, then items, in the exchange format of `docs/catalogue-format.md`; (kinds, items)."""
    counts = [0, 0]
    with path.open("wb") as out:
        for kind in kinds():
            out.write(kind_line(kind))
            counts[0] += 1
        for item in implementations():
            out.write(item_line(item))
            counts[1] += 1
    return counts[0], counts[1]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m practice.sample_catalogue OUT.jsonl\n")
        return 2
    path = Path(arguments[0])
    sys.stderr.write(f"writing the sample catalogue to {path} …\n")
    kind_count, item_count = write_jsonl(path)
    sys.stderr.write(f"{kind_count:,} kinds, {item_count:,} items, {path.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
