"""Pages of materials: pictures taken or picked at the window, kept with the draft and then with its case.

Making a picture straight takes a second, so it has a lane of its own; what is stored then is one short write.
Pages are added and removed while the draft is in hand. Once filed they stay with the case. Those of a draft
that was discarded wait for an undo and are swept away at the next start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clerk_app.desk import drafting
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Attachment, Page, Transaction
from clerk_app.desk.views import PageView
from clerk_app.failures import Failure

LARGEST_FILE = 64 * 1024 * 1024
"""A file beyond it is not even read."""


@dataclass(frozen=True, slots=True)
class RemovedPage:
    """A page that was taken away, whole: `put_back` gives it back (undo)."""

    attachment: Attachment
    content: bytes


def pages_of_file(desk: Desk, file: Path) -> Sequence[Page]:
    """The straightened pages of an image file. On the scanner's lane. Failures: SCAN-…"""
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Failure("SCAN-FILE", error.strerror or type(error).__name__) from error
    return desk.straighten(data)


def pages_of_photo(desk: Desk, photo: bytes) -> Sequence[Page]:
    """The straightened page of what the camera took. On the scanner's lane."""
    return desk.straighten(photo)


def add(desk: Desk, draft_id: str, material: str, pages: Sequence[Page], source: str) -> None:
    """Put `pages` behind those the material has. `source` is "camera" or "file".

    Failures: DESK-NO-DRAFT, STORE-FULL.
    """

    def write(tx: Transaction) -> None:
        draft = drafting.the_draft(tx, draft_id)
        now = desk.clock.now()
        last = max((each.page for each in _of(tx, draft_id, material)), default=0)
        for number, page in enumerate(pages, last + 1):
            attachment = Attachment(
                id=desk.new_id(),
                case_id=draft_id,
                material=material,
                page=number,
                width=page.width,
                height=page.height,
                size=len(page.content),
                sha256=hashlib.sha256(page.content).hexdigest(),
                added_at=now,
                source=source,
            )
            tx.attachments.add(attachment, page.content)
        tx.drafts.save(replace(draft, updated_at=now))

    desk.room()
    desk.store.write(write)


def remove(desk: Desk, draft_id: str, page_id: str) -> RemovedPage:
    """Take a page away; what is returned gives it back. Failures: DESK-NO-DRAFT, SCAN-NO-PAGE."""

    def write(tx: Transaction) -> RemovedPage:
        drafting.the_draft(tx, draft_id)
        found = next((each for each in tx.attachments.of_case(draft_id) if each.id == page_id), None)
        content = tx.attachments.content(page_id)
        if found is None or content is None:
            raise Failure("SCAN-NO-PAGE")
        tx.attachments.remove(page_id)
        return RemovedPage(found, content)

    return desk.store.write(write)


def put_back(desk: Desk, removed: RemovedPage) -> None:
    """Undo of `remove`: the page stands where it stood. Failure DESK-NO-DRAFT once the draft was filed."""

    def write(tx: Transaction) -> None:
        drafting.the_draft(tx, removed.attachment.case_id)
        tx.attachments.add(removed.attachment, removed.content)

    desk.store.write(write)


def pages(desk: Desk, draft_id: str, material: str) -> tuple[PageView, ...]:
    """The pages of a material in their order, counted from 1 without gaps."""
    found = desk.store.read(lambda tx: _of(tx, draft_id, material))
    return tuple(
        PageView(each.id, number, each.width, each.height, each.size) for number, each in enumerate(found, 1)
    )


def content(desk: Desk, page_id: str) -> bytes:
    """The JPEG of one page. Failure SCAN-NO-PAGE."""
    found = desk.store.read(lambda tx: tx.attachments.content(page_id))
    if found is None:
        raise Failure("SCAN-NO-PAGE")
    return found


def sweep(desk: Desk) -> int:
    """Remove the pages that belong to no draft and no case any more; how many. At the start."""
    return desk.store.write(lambda tx: tx.attachments.remove_stray())


def keep_asked(tx: Transaction, draft_id: str, asked: frozenset[str]) -> None:
    """Remove pages of materials this case does not ask for: they were of an item or an answer given up."""
    for each in tx.attachments.of_case(draft_id):
        if each.material not in asked:
            tx.attachments.remove(each.id)


def _of(tx: Transaction, draft_id: str, material: str) -> list[Attachment]:
    return [each for each in tx.attachments.of_case(draft_id) if each.material == material]
