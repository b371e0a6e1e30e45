"""How the costs grow: with the items of the catalogue, the parked windows, and the length of the outbox.

Three curves, each point measured as in the bench it belongs to: the first sync, 100 changes and one search
for 5,000 to 267,096 items; the wake-up of 100 to 10,000 windows; the drain of 100 to 5,000 commands. Writes
`docs/evidence/growth.svg` and publishes a table. Takes some minutes.

    python -m bench.growth [--quick]
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TypeVar

import sqlalchemy as sa

from back_office import catalogue
from back_office.embedded import HallSetup, OfficeServer, enrolment_code, prepare, write
from back_office.office import Transaction
from back_office.tables import item
from bench import drain, parked
from bench.first_sync import Window
from bench.report import Claim, Row, percentile, publish
from clerk_app.desk.ports import SearchContext
from clerk_app.domain.catalogue import Implementation
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.protocol import EnrolRequest
from practice import sample_catalogue

T = TypeVar("T")

PICTURE = Path(__file__).parents[1] / "docs" / "evidence" / "growth.svg"
ITEMS = (5_000, 20_000, 66_774, 267_096)
WINDOWS = (100, 1_000, 10_000)
COMMANDS = (100, 1_000, 5_000)
CHANGES = 100
QUERIES = ("社保卡", "sbk", "营业执照", "食品经营许可", "jsz", "户口 迁移")


@dataclass(frozen=True, slots=True)
class Curve:
    """One cost in milliseconds at each size."""

    what: str
    of: str
    sizes: Sequence[int]
    costs: Sequence[float]

    @property
    def growth(self) -> float:
        """Cost of the largest over the smallest, divided by how much larger it is: 1 is in proportion."""
        return (self.costs[-1] / self.costs[0]) / (self.sizes[-1] / self.sizes[0])


# --- items --------------------------------------------------------------------------------------------------


def implementations(count: int) -> list[Implementation]:
    """`count` items: the sample city's, and beyond those the same items of neighbouring cities."""
    city = list(sample_catalogue.implementations())
    found: list[Implementation] = []
    for number in range(-(-count // len(city))):
        region = f"{int(city[0].region[:4]) + number:04d}"
        found += city if number == 0 else [_elsewhere(one, region) for one in city]
    return list(islice(found, count))


def _elsewhere(one: Implementation, city: str) -> Implementation:
    """The item of another city: its code and its body carry that city's digits."""

    def moved(code: str) -> str:
        return f"{code[:2]}{city}{code[6:]}"

    return replace(one, code=moved(one.code), body_code=moved(one.body_code), region=city + one.region[4:])


def with_items(count: int, runs: int) -> tuple[float, float, float]:
    """(first sync, 100 changes, one search) with `count` items."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "office")
        office = prepare(folder, HallSetup("BE01", "政务服务中心", "510700"))
        wanted = implementations(count)
        used = {one.kind for one in wanted}
        try:
            catalogue.put_in_force(office, [k for k in sample_catalogue.kinds() if k.code in used], wanted)
        finally:
            office.close()
        with OfficeServer(folder) as server:
            client = OfficeClient(server.url)
            token = client.enrol(EnrolRequest(enrolment_code(folder, window="12"), "bench")).token
            client.close()
            first, delta, search = [], [], []
            for turn in range(runs):
                window = Window(Path(name, f"window-{turn}"), server.url, token)
                first.append(window.first_sync(at_least=count // 2))
                window.pull_catalogue()
                write(folder, _retire_some)
                delta.append(window.pull_catalogue())
                search += [_searched(window, query) for query in QUERIES * 20]
                window.close()
    return median(first), median(delta), percentile(search, 0.99)


def _retire_some(tx: Transaction) -> None:
    query = sa.select(item.c.code).where(item.c.ended_at.is_(None)).order_by(item.c.code).limit(CHANGES)
    for code in tx.connection.scalars(query).all():
        catalogue.retire(tx, code)


def _searched(window: Window, query: str) -> float:
    begun = time.perf_counter()
    window.catalogue.search(query, SearchContext())
    return (time.perf_counter() - begun) * 1000


# --- the claim ----------------------------------------------------------------------------------------------


def run(quick: bool = False) -> Claim:
    items, windows, commands = (ITEMS[:2], WINDOWS[:2], COMMANDS[:2]) if quick else (ITEMS, WINDOWS, COMMANDS)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    by_items = [_said(with_items(count, 3), f"{count:,} items") for count in items]
    first, delta, search = zip(*by_items, strict=True)
    wakes = [_said(percentile(parked.measure_office(n).waits, 0.99), f"{n:,} windows") for n in windows]
    drains = [_said(_drained(count), f"{count:,} commands") for count in commands]
    curves = (
        Curve("first sync", "items", items, first),
        Curve(f"{CHANGES} changes", "items", items, delta),
        Curve("search, p99", "items", items, search),
        Curve("wake-up, p99", "parked windows", windows, wakes),
        Curve("drain", "commands", commands, drains),
    )
    plot(curves, PICTURE)
    rows = [
        Row(f"{curve.what}, {size:,} {curve.of}", cost, curve.costs[0])
        for curve in curves
        for size, cost in zip(curve.sizes, curve.costs, strict=True)
    ]
    changes = curves[1]
    return Claim(
        name="How the costs grow",
        reference="the smallest size",
        goal="changes cost what they are, not what the catalogue is (≤ 2 × from the smallest to the "
        "largest); wake-up and drain at most in proportion.",
        met=changes.costs[-1] <= 2 * changes.costs[0] and all(curve.growth <= 1.2 for curve in curves[3:]),
        rows=tuple(rows),
        note="![the curves](evidence/growth.svg)",
    )


def _said(value: T, what: str) -> T:
    print(what, value, file=sys.stderr, flush=True)
    return value


def _drained(count: int) -> float:
    with tempfile.TemporaryDirectory() as name, drain.served(Path(name, "office"), 2) as url:
        window = drain.Window(Path(name, "office"), url, Path(name, "window"), count, drain.item_code(0))
        _, registered = drain.drain_ours(window)
        window.close()
    return registered


def plot(curves: Sequence[Curve], target: Path) -> None:
    """The curves on logarithmic axes, a panel for what they grow with; a dotted line is in proportion."""
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys(curve.of for curve in curves))
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for place, of in enumerate(groups, 1):
        axes = figure.add_subplot(1, len(groups), place)
        for curve in (one for one in curves if one.of == of):
            (line,) = axes.loglog(curve.sizes, curve.costs, marker="o", label=curve.what)
            straight = [curve.costs[0] * size / curve.sizes[0] for size in curve.sizes]
            axes.loglog(curve.sizes, straight, linestyle=":", linewidth=1, color=line.get_color())
        axes.set_xlabel(of)
        axes.set_ylabel("ms")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(fontsize=8)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the smallest two sizes of each")
    publish(run(parser.parse_args().quick))


if __name__ == "__main__":
    main()
