"""The item search against tantivy: every keystroke of the labelled queries, 66,774 items.

    python -m bench.search

Both search the same kinds with the same words and fetch the first 20 rows with all bodies inside. tantivy is
set up as `bench.tantivy_catalogue` says: one document a kind, its fastest shape for grouped results. Both are
asked in turn, keystroke by keystroke; a keystroke's time is the median of `ROUNDS` rounds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench.report import Claim, Row, percentile, publish
from bench.tantivy_catalogue import TantivyCatalogue
from clerk_app.catalogue.build import build
from clerk_app.catalogue.file import CatalogueFile
from clerk_app.desk.ports import SearchContext
from practice.sample_catalogue import implementations, kinds
from tests.search.labelled import Quality, Query, judge, queries

ROUNDS = 5
ROWS = 20
P99_GOAL_MS = 5.0
FIRST_GOAL, FIVE_GOAL, KEYSTROKES_GOAL = 0.70, 0.95, 4

CONTEXT = SearchContext(region="510700")


def run() -> Claim:
    """Build both, ask both, compare."""
    items = list(implementations())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.sqlite"
        build(path, kinds(), items, "bench")
        reference = TantivyCatalogue(Path(folder) / "tantivy", kinds(), items)
        started = time.perf_counter()
        with CatalogueFile(path) as ours:
            opened = (time.perf_counter() - started) * 1000
            asked = queries()
            strokes = [query.text[:length] for query in asked for length in range(1, len(query.text) + 1)]
            first_ours, first_theirs, ours_ms, theirs_ms = _times(
                strokes,
                lambda text: ours.search(text, CONTEXT, ROWS),
                lambda text: reference.search(text, ROWS),
            )
            rows = (
                Row("keystroke, p50", percentile(ours_ms, 0.5), percentile(theirs_ms, 0.5)),
                Row("keystroke, p99", percentile(ours_ms, 0.99), percentile(theirs_ms, 0.99)),
                Row(
                    "keystroke, first time asked, p99",
                    percentile(first_ours, 0.99),
                    percentile(first_theirs, 0.99),
                ),
                Row("open the catalogue", opened, None),
                *_quality_rows(
                    asked,
                    lambda text: [hit.name for hit in ours.search(text, CONTEXT, ROWS)],
                    lambda text: [str(each["name"]) for each in reference.search(text, ROWS)],
                ),
            )
    measured = {row.what: row for row in rows}
    p99, first, five = (measured[what] for what in ("keystroke, p99", "hit@1, all", "hit@5, all"))
    met = (
        p99.ours <= P99_GOAL_MS
        and p99.ours <= (p99.reference or 0.0)
        and first.ours >= max(100 * FIRST_GOAL, first.reference or 0.0)
        and five.ours >= max(100 * FIVE_GOAL, five.reference or 0.0)
        and measured["keystrokes to the top five, all"].ours <= KEYSTROKES_GOAL
    )
    return Claim(
        name="Item search",
        reference="tantivy",
        goal=(
            f"every keystroke p99 ≤ {P99_GOAL_MS:.0f} ms and no slower than tantivy; "
            f"hit@1 ≥ {FIRST_GOAL:.0%}, hit@5 ≥ {FIVE_GOAL:.0%}, median keystrokes to the top five "
            f"≤ {KEYSTROKES_GOAL}, ahead of tantivy on the same queries."
        ),
        met=met,
        rows=rows,
        note=(
            f"{len(items):,} items, {len(asked)} labelled queries, {len(strokes):,} keystrokes. tantivy: one "
            "document a kind with its bodies stored, Chinese by character with phrase queries, pinyin, "
            "initials and English as edge n-grams from every character on, boosts by field, weighed by the "
            "number of bodies, repeated with fuzzy pinyin and missing characters when few are found."
        ),
    )


def _times(
    strokes: Sequence[str], ours: Callable[[str], object], theirs: Callable[[str], object]
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Milliseconds a keystroke: first time asked (ours, theirs), then the medians of the rounds."""
    taken: list[list[list[float]]] = [[[] for _ in strokes], [[] for _ in strokes]]
    for _ in range(ROUNDS + 1):
        for number, text in enumerate(strokes):
            for side, search in enumerate((ours, theirs)):
                started = time.perf_counter()
                search(text)
                taken[side][number].append((time.perf_counter() - started) * 1000)
    cold = [[each[0] for each in side] for side in taken]
    warm = [[median(each[1:]) for each in side] for side in taken]
    return cold[0], cold[1], warm[0], warm[1]


def _quality_rows(
    asked: Sequence[Query],
    ours: Callable[[str], Sequence[str]],
    theirs: Callable[[str], Sequence[str]],
) -> list[Row]:
    parts = {
        "all": asked,
        "development half": [query for query in asked if query.development],
        "held-out half": [query for query in asked if not query.development],
    }
    quality: dict[str, tuple[Quality, Quality]] = {
        name: (judge(part, ours), judge(part, theirs)) for name, part in parts.items()
    }
    rows = []
    for name, (mine, other) in quality.items():
        rows.append(Row(f"hit@1, {name}", 100 * mine.first, 100 * other.first, "%"))
        rows.append(Row(f"hit@5, {name}", 100 * mine.five, 100 * other.five, "%"))
        rows.append(Row(f"keystrokes to the top five, {name}", mine.keystrokes, other.keystrokes, "typed"))
    return rows


if __name__ == "__main__":
    publish(run())
