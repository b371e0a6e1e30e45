"""Scanning at the window: pictures from camera and files become pages of a material, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from clerk_app.desk import scanning
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import CameraEvent, CameraFrame, CameraLost, CameraPhoto, Page
from clerk_app.desk.scanning import RemovedPage
from clerk_app.desk.views import PageView
from clerk_app.failures import Failure
from clerk_app.ui.async_action import Actions
from clerk_app.ui.banner import Answer, BannerSlot, Message, failure_message
from clerk_app.ui.page_list import PageRow, small
from clerk_app.ui.snapshots import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clerk_app.ui.counter import Counter

_UNDO_SECONDS = 30

Work = tuple[str, str, str, str, Callable[[Desk], "Sequence[Page]"]]
"""Draft, material, source, the file's name or "", and what makes the pages."""


class PagesAtWindow(QObject):
    """Ties the sheet to the camera and the desk. What was begun ends, also when the sheet is put away."""

    _seen = Signal(int, object)

    def __init__(self, counter: Counter, actions: Actions) -> None:
        super().__init__(counter)
        self._counter = counter
        self._actions = actions
        self._sheet = counter.scan
        self._camera = actions.camera
        self._draft, self._material = "", ""
        self._turn = 0  # of the sheet: what comes late was meant for an earlier one
        self._waiting: deque[Work] = deque()
        self._done, self._count, self._busy = 0, 0, False
        self._small: dict[str, QImage] = {}
        self._seen.connect(self._camera_event)
        counter.steps.material.scan.connect(self.open)
        counter.shown.draft_changed.connect(self._follow)
        sheet = self._sheet
        sheet.take.connect(self._take)
        sheet.picked.connect(self._picked)
        sheet.removed.connect(lambda page: actions.start(self._remove(page), sheet.banner, "remove_page"))
        sheet.closed.connect(self._closed)

    def open_focused(self) -> None:
        """The material the hand is at, or the first that has no page yet."""
        draft = self._counter.shown.draft
        if draft is not None and (key := self._counter.steps.material.in_hand()):
            self._counter.steps.open_step(5, focus=False)
            self.open(key)

    def open(self, material: str) -> None:
        draft = self._counter.shown.draft
        found = next((each for each in draft.materials if each.key == material), None) if draft else None
        if draft is None or found is None:
            return
        self._draft, self._material = draft.id, material
        self._turn = turn = self._turn + 1
        self._sheet.open(found)
        self._actions.look(self._read(), self._sheet.banner)
        if self._camera is not None:
            self._camera.open(lambda event: self._seen.emit(turn, event))

    def _closed(self) -> None:
        self._small.clear()
        if self._camera is not None:
            self._camera.close()
        if self._sheet.had_hand:
            self._counter.steps.material.focus_material(self._material)

    def _follow(self) -> None:
        """The sheet goes with its draft and its material."""
        draft = self._counter.shown.draft
        asked = [each.key for each in draft.materials] if draft and draft.id == self._draft else []
        if self._material not in asked:
            self._sheet.put_away()

    # --- the camera ----------------------------------------------------------------------------------

    def _camera_event(self, turn: int, event: CameraEvent) -> None:
        if turn != self._turn or self._sheet.isHidden():
            return
        if isinstance(event, CameraFrame):
            self._sheet.show_frame(QImage.fromData(event.content))
        elif isinstance(event, CameraPhoto):
            photo = event.content
            self._begin("camera", "", lambda desk: scanning.pages_of_photo(desk, photo))
        elif isinstance(event, CameraLost):
            self._sheet.show_camera(False)
            if event.code:
                self._sheet.banner.tell(failure_message(Failure(event.code, event.detail)))

    def _take(self) -> None:
        if self._camera is not None and self._sheet.sees:
            self._camera.take()

    # --- pages in ------------------------------------------------------------------------------------

    def _picked(self, files: list[Path]) -> None:
        for file in files:
            self._begin("file", file.name, partial(scanning.pages_of_file, file=file))

    def _begin(self, source: str, name: str, make: Callable[[Desk], Sequence[Page]]) -> None:
        self._waiting.append((self._draft, self._material, source, name, make))
        self._count += 1
        self._sheet.show_progress(self._done, self._count)
        if not self._busy:
            self._busy = True
            self._actions.start(self._work(), self._place)

    async def _work(self) -> None:
        """One picture after another; what is wrong with one is told and stops none of the others."""
        try:
            while self._waiting:
                await self._make(self._waiting.popleft())
        finally:
            self._done, self._count, self._busy = 0, 0, False

    async def _make(self, work: Work) -> None:
        draft, material, source, name, make = work
        try:
            pages = await self._actions.scanner(make)
            await self._actions.at_desk(scanning.add, draft, material, pages, source)
        except Failure as failure:
            self._tell(name, failure)
        self._done += 1
        await self._counter.shown.read(View.VISIT)
        if (draft, material) == (self._draft, self._material):
            await self._read()
        self._sheet.show_progress(self._done, self._count)

    @property
    def _place(self) -> BannerSlot:
        """Where the hand is: the sheet while it is open, else the step."""
        return self._counter.steps.material.banner if self._sheet.isHidden() else self._sheet.banner

    def _tell(self, name: str, failure: Failure) -> None:
        named = Message("bad", "pages.of_file", {"name": name}, failure=failure.code, detail=failure.detail)
        self._place.tell(named if name else failure_message(failure))

    # --- pages shown, taken away, given back -----------------------------------------------------------

    async def _read(self) -> None:
        draft, material = self._draft, self._material
        pages = await self._actions.at_desk(scanning.pages, draft, material)
        if (draft, material) != (self._draft, self._material):
            return
        self._show(pages)
        for page in pages:
            if page.id not in self._small and not self._sheet.isHidden():
                self._small[page.id] = await self._actions.scanner(_small, page.id)
                if (draft, material) != (self._draft, self._material):
                    return
                self._show(pages)

    def _show(self, pages: tuple[PageView, ...]) -> None:
        self._sheet.show_pages(tuple(PageRow(page, self._small.get(page.id, QImage())) for page in pages))
        self._sheet.show_progress(self._done, self._count)

    async def _remove(self, page: str) -> None:
        removed = await self._actions.at_desk(scanning.remove, self._draft, page)
        await self._again()
        banner = self._sheet.banner

        def undo() -> None:
            banner.withdraw()
            self._actions.start(self._put_back(removed), banner, "put_back")

        answer = Answer("undo.undo", undo, primary=True)
        banner.tell(Message("primary", "pages.removed", answers=(answer,), seconds=_UNDO_SECONDS))

    async def _put_back(self, removed: RemovedPage) -> None:
        await self._actions.at_desk(scanning.put_back, removed)
        await self._again()

    async def _again(self) -> None:
        await self._counter.shown.read(View.VISIT)
        await self._read()


def _small(desk: Desk, page: str) -> QImage:
    return small(scanning.content(desk, page))
