"""The catalogue as the whole program uses it: on a lane of its own, replaced while people search."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clerk_app.catalogue.changes import ItemChange, drop_changes, keep_changes
from clerk_app.catalogue.file import CatalogueFile
from clerk_app.desk.ports import Hit, SearchContext
from clerk_app.domain.catalogue import ServiceItem
from clerk_app.failures import Failure
from clerk_app.lanes import Lane


class SharedCatalogue:
    """Implements `desk.ports.Catalogue` from any lane. Before the first download it is empty."""

    def __init__(self, path: Path, lane: Lane) -> None:
        self._path = path
        self._lane = lane
        self._file = CatalogueFile(path) if path.exists() else None

    @property
    def count(self) -> int:
        return self._file.count if self._file else 0

    @property
    def version(self) -> str:
        return self._file.version if self._file else ""

    def search(self, text: str, context: SearchContext, limit: int = 20) -> tuple[Hit, ...]:
        def look() -> tuple[Hit, ...]:
            return self._file.search(text, context, limit) if self._file else ()

        return self._lane.run(look)

    def item(self, item_code: str) -> ServiceItem:
        def look() -> ServiceItem:
            if self._file is None:
                raise Failure("CATALOGUE-NO-ITEM", "no catalogue yet")
            return self._file.item(item_code)

        return self._lane.run(look)

    def apply(self, changes: Iterable[ItemChange]) -> None:
        """Lay the feed's item changes over the file, also over one that is still on its way."""
        kept = tuple(changes)

        def lay() -> None:
            if self._file is not None:
                self._file.apply(kept)
            elif kept:
                keep_changes(self._path, kept)

        self._lane.run(lay)

    def reopen(self) -> None:
        """A new file was swapped in: searches from now on see it.

        Opened and closed here, so that the lane goes on answering: closing the last handle of a file that is
        no more makes the system give back all its room first.
        """
        new = CatalogueFile(self._path)

        def swap() -> CatalogueFile | None:
            new.read_changes()  # laid over the old file meanwhile
            before, self._file = self._file, new
            return before

        before = self._lane.run(swap)
        if before is not None:
            before.close()

    def close(self) -> None:
        def shut() -> None:
            if self._file is not None:
                self._file.close()
                self._file = None

        self._lane.run(shut)


def discard(path: Path) -> None:
    """Throw the file away, with what the feed laid over it."""
    path.unlink(missing_ok=True)
    drop_changes(path)
