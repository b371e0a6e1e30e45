"""The sample administration: 54 municipal departments, nine districts and counties, four parks, their towns.

Read from `resources/sample/bodies.toml`. Credit codes are made up: machine type 11 (organ), the region, an
organisation number counted up from 1 with its GB 11714 check character, and the GB 32100 check character.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from clerk_app.domain.identity import uscc_check_character


@dataclass(frozen=True, slots=True)
class Body:
    """One implementing body. `lines` are the lines of work it answers for; empty means all of its level."""

    code: str  # USCC
    name: str
    region: str
    level: str  # "city", "county", "park", "town"
    address: str
    lines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Department:
    """A municipal department: `number` is the two-digit department part of a basic code."""

    number: str
    short: str
    name: str
    county: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """A district, county or park and its bodies. `share` weighs how many items it claimed."""

    code: str
    name: str
    level: str  # "county" or "park"
    bodies: tuple[Body, ...]
    share: int = 100


@dataclass(frozen=True, slots=True)
class Administration:
    """Everybody who may implement an item, and what their guides have in common."""

    departments: tuple[Department, ...]
    city: tuple[Body, ...]
    regions: tuple[Region, ...]
    phone: str
    supervision_phone: str
    hours: str

    def bodies(self) -> Iterator[Body]:
        yield from self.city
        for region in self.regions:
            yield from region.bodies


def organisation_check(number: str) -> str:
    """The GB 11714 check character of an eight-character organisation number (MOD 11)."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit, 36) for weight, digit in zip(weights, number, strict=True))
    return "0123456789X0"[11 - total % 11]


def sample_credit_code(region: str, number: int) -> str:
    """The made-up credit code of organ `number` in `region` (six digits)."""
    organisation = f"{number:08d}"
    stem = f"11{region}{organisation}{organisation_check(organisation)}"
    return stem + uscc_check_character(stem)


def _county(entry: dict[str, Any], data: dict[str, Any], departments: tuple[Department, ...]) -> Region:
    code, name = entry["code"], entry["name"]
    address = data["county_address"].format(region=name)
    bodies = [
        Body(
            code=sample_credit_code(code, int(department.number)),
            name=department.county.format(region=name, police=entry["police"]),
            region=code,
            level="county",
            address=address,
            lines=frozenset({department.short}),
        )
        for department in departments
        if department.county
    ]
    bodies += (
        Body(
            code=sample_credit_code(code, number),
            name=name + town + ("办事处" if town.endswith("街道") else "人民政府"),
            region=code,
            level="town",
            address=data["town_address"].format(region=name, town=town),
        )
        for number, town in enumerate(entry["towns"], 101)
    )
    return Region(code, name, "county", tuple(bodies), entry["share"])


def _park(number: int, entry: dict[str, Any], data: dict[str, Any]) -> Region:
    address = data["park_address"].format(region=entry["name"])
    own = {"公安": "公安分局", "市场监管": "市场监督管理分局", "税务": "税务局", "": "管理委员会"}
    bodies = tuple(
        Body(
            code=sample_credit_code(data["city"], 200 + 10 * number + at),
            name=entry["body"] + office,
            region=entry["code"],
            level="park",
            address=address,
            lines=frozenset({line} - {""}),
        )
        for at, (line, office) in enumerate(own.items())
    )
    return Region(entry["code"], entry["name"], "park", bodies)


@cache
def administration() -> Administration:
    """The sample administration, read once."""
    file = resources.files("resources") / "sample" / "bodies.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    departments = tuple(Department(**entry) for entry in data["departments"])
    city = tuple(
        Body(
            code=sample_credit_code(data["city"], int(department.number)),
            name=department.name,
            region=data["city"],
            level="city",
            address=data["city_address"],
            lines=frozenset({department.short}),
        )
        for department in departments
    )
    counties = [_county(entry, data, departments) for entry in data["counties"]]
    parks = [_park(number, entry, data) for number, entry in enumerate(data["parks"], 1)]
    return Administration(
        departments,
        city,
        (*counties, *parks),
        data["phone"],
        data["supervision_phone"],
        data["hours"],
    )
