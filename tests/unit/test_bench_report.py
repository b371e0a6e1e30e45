"""How a claim is counted, printed and written down."""

from __future__ import annotations

import importlib
from datetime import date

import pytest

from bench.__main__ import NAMES, page
from bench.report import Claim, Row, percentile, publish, published, table

CLAIM = Claim(
    name="Slip",
    reference="raw bytes",
    goal="≤ 1.5 ×.",
    met=False,
    rows=(Row("p50", 3.0, 2.0), Row("confirmed", 4.0, None), Row("hit@1", 75.0, 50.0, "%")),
    note="On loopback.",
)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1.0), (0.5, 50.0), (0.501, 51.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)],
)
def test_a_percentile_is_a_measured_value_nearest_rank(share: float, expected: float) -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, share) == expected
    assert percentile([7.0], share) == 7.0


def test_a_ratio_needs_a_reference() -> None:
    assert [row.ratio for row in CLAIM.rows] == [1.5, None, 1.5]


def test_a_table_says_what_it_was_measured_beside_and_whether_the_goal_is_met() -> None:
    lines = table(CLAIM).splitlines()
    assert lines == [
        "### Slip",
        "",
        "Goal: ≤ 1.5 ×. **not met**",
        "",
        "| measured | ours | raw bytes | ratio |",
        "|---|---:|---:|---:|",
        "| p50 | 3.00 ms | 2.00 ms | 1.50 |",
        "| confirmed | 4.00 ms |  |  |",
        "| hit@1 | 75.00 % | 50.00 % | 1.50 |",
        "",
        "On loopback.",
    ]


def test_what_is_published_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    publish(CLAIM)
    assert published("something a bench said before\n" + capsys.readouterr().out) == CLAIM


def test_the_page_is_the_same_for_the_same_claims_and_counts_what_is_met() -> None:
    day = date(2026, 11, 22)
    written = page([CLAIM, CLAIM], day)
    assert written == page([CLAIM, CLAIM], day)
    assert "2026-11-22" in written
    assert "0 of 2 goals met" in written
    assert written.count("### Slip") == 2


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name != "search"]
)  # it needs the reference's package
def test_every_bench_has_a_claim_to_run(name: str) -> None:
    assert callable(importlib.import_module(f"bench.{name}").run)
