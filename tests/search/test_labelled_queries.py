"""The right item is found in few keystrokes: the labelled queries against the whole sample catalogue."""

import pytest
from labelled import QUERIES, judge, queries

from clerk_app.catalogue.build import build
from clerk_app.catalogue.file import CatalogueFile
from clerk_app.desk.ports import SearchContext
from practice.sample_catalogue import implementations, kinds

FIRST, FIVE, KEYSTROKES = 0.70, 0.95, 4
CATEGORIES = {"official", "spoken", "alias", "typo", "pinyin", "initials", "two", "department", "code"}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.sqlite"
    build(path, kinds(), implementations(), "sample")
    with CatalogueFile(path) as file:
        yield file


@pytest.fixture(scope="module")
def search(catalogue):
    context = SearchContext(region="510700")
    return lambda text: [hit.name for hit in catalogue.search(text, context, 5)]


def test_the_set_is_large_and_every_label_is_an_item_kind_a_window_accepts(catalogue):
    asked = queries()
    assert len(asked) >= 300
    assert {query.category for query in asked} == CATEGORIES
    assert len({query.text for query in asked}) == len(asked), f"{QUERIES.name}: a query stands there twice"
    found = {name: catalogue.search(name, SearchContext(), 1) for query in asked for name in query.names}
    assert [name for name, hits in found.items() if not hits or hits[0].name != name] == []


@pytest.mark.slow
def test_the_right_item_is_found_in_few_keystrokes(search, record_property):
    asked = queries()
    halves = {
        "development": [query for query in asked if query.development],
        "held out": [query for query in asked if not query.development],
        "all": asked,
    }
    quality = {name: judge(half, search) for name, half in halves.items()}
    for name, each in quality.items():
        record_property(name, str(each))
    for each in quality.values():
        assert each.first >= FIRST, quality
        assert each.keystrokes <= KEYSTROKES, quality
    assert quality["all"].five >= FIVE, quality
    assert quality["held out"].five >= FIVE - 0.02, quality


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_no_way_of_typing_is_left_behind(search, category):
    quality = judge([query for query in queries() if query.category == category], search)
    assert quality.five >= 0.9, quality
