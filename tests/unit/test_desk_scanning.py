"""Pages of materials: added in order, taken away and given back, filed with the case, swept when nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_kit import CLERK, ITEM, PERSON, Bench, bench

from clerk_app.desk import acceptance, calling, drafting, scanning
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import Page
from clerk_app.domain.case import MaterialMode
from clerk_app.failures import Failure


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        calling.call_next(made.desk, CLERK)
        yield made


@pytest.fixture
def draft(hall: Bench) -> str:
    """Everything done but the materials."""
    made = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, made, PERSON)
    drafting.choose_item(hall.desk, made, ITEM.implementation.code)
    drafting.fill(hall.desk, made, "phone", "13812345678")
    return made


def add(hall: Bench, draft: str, material: str, *contents: bytes) -> None:
    scanning.add(hall.desk, draft, material, [Page(each, 10, 20) for each in contents], "file")


def shown(hall: Bench, draft: str, material: str = "id") -> list[bytes]:
    found = scanning.pages(hall.desk, draft, material)
    assert [page.number for page in found] == list(range(1, len(found) + 1))
    return [scanning.content(hall.desk, page.id) for page in found]


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def test_pages_stand_in_the_order_they_came_in(hall: Bench, draft: str) -> None:
    add(hall, draft, "id", b"front", b"back")
    add(hall, draft, "letter", b"letter")
    add(hall, draft, "id", b"third")
    assert shown(hall, draft) == [b"front", b"back", b"third"]
    assert {m.key: m.pages for m in draft_view(hall.desk, draft).materials} == {"id": 3}
    drafting.answer(hall.desk, draft, "agent", "yes")
    assert {m.key: m.pages for m in draft_view(hall.desk, draft).materials} == {"id": 3, "letter": 1}
    (first, *_) = hall.store.read(lambda tx: tx.attachments.of_case(draft))
    assert (first.source, first.size, first.width, first.height) == ("file", 5, 10, 20)


def test_a_page_taken_away_comes_back_where_it_was(hall: Bench, draft: str) -> None:
    add(hall, draft, "id", b"one", b"two", b"three")
    second = scanning.pages(hall.desk, draft, "id")[1]
    removed = scanning.remove(hall.desk, draft, second.id)
    assert shown(hall, draft) == [b"one", b"three"]
    with refused("SCAN-NO-PAGE"):
        scanning.remove(hall.desk, draft, second.id)
    with refused("SCAN-NO-PAGE"):
        scanning.content(hall.desk, second.id)
    add(hall, draft, "id", b"four")
    scanning.put_back(hall.desk, removed)
    assert shown(hall, draft) == [b"one", b"two", b"three", b"four"]


def test_a_filed_case_keeps_its_pages_and_only_those_it_asks_for(hall: Bench, draft: str) -> None:
    drafting.answer(hall.desk, draft, "agent", "yes")
    add(hall, draft, "id", b"card")
    add(hall, draft, "letter", b"letter of an answer given up")
    drafting.answer(hall.desk, draft, "agent", "no")
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    page = scanning.pages(hall.desk, draft, "id")[0]
    case = acceptance.accept(hall.desk, draft)
    scanning.sweep(hall.desk)
    kept = hall.store.read(lambda tx: tx.attachments.of_case(case.id))
    assert [(each.material, scanning.content(hall.desk, each.id)) for each in kept] == [("id", b"card")]
    with refused("DESK-NO-DRAFT"):
        scanning.remove(hall.desk, draft, page.id)
    with refused("DESK-NO-DRAFT"):
        add(hall, draft, "id", b"too late")


def test_pages_of_a_discarded_draft_wait_for_an_undo_until_the_next_start(hall: Bench, draft: str) -> None:
    add(hall, draft, "id", b"card")
    before = drafting.discard(hall.desk, draft)
    drafting.restore(hall.desk, before)
    assert shown(hall, draft) == [b"card"]
    assert scanning.sweep(hall.desk) == 0
    drafting.discard(hall.desk, draft)
    assert scanning.sweep(hall.desk) == 1
    drafting.restore(hall.desk, before)
    assert shown(hall, draft) == []


def test_undo_of_a_page_after_filing_changes_nothing(hall: Bench, draft: str) -> None:
    add(hall, draft, "id", b"card")
    removed = scanning.remove(hall.desk, draft, scanning.pages(hall.desk, draft, "id")[0].id)
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    case = acceptance.accept(hall.desk, draft)
    with refused("DESK-NO-DRAFT"):
        scanning.put_back(hall.desk, removed)
    assert hall.store.read(lambda tx: tx.attachments.of_case(case.id)) == ()


def test_a_file_is_its_pages(hall: Bench, tmp_path: Path) -> None:
    file = tmp_path / "scan.tif"
    file.write_bytes(b"one|two")
    assert [page.content for page in scanning.pages_of_file(hall.desk, file)] == [b"one", b"two"]
    with refused("SCAN-FILE"):
        scanning.pages_of_file(hall.desk, tmp_path / "gone.jpg")
    with refused("SCAN-FILE"):
        scanning.pages_of_file(hall.desk, tmp_path)
