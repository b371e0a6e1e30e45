"""What the guide says about the chosen item: conditions, limits, fee, telephones, questions people ask."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from clerk_app.desk.views import ItemView
from clerk_app.ui.pieces import ElidedLabel, FittingScroll, clear, column, label
from clerk_app.ui.words import tr


class GuidePanel(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._item: ItemView | None = None
        inside = QWidget()
        self._lines: QVBoxLayout = column(inside, gap=4)
        self._lines.setContentsMargins(0, 0, 8, 0)
        column(self).addWidget(FittingScroll(inside))

    def show_item(self, item: ItemView | None) -> None:
        if item != self._item:
            self._item = item
            self.retranslate()

    def retranslate(self) -> None:
        clear(self._lines)
        item = self._item
        if item is None:
            self._lines.addWidget(label(tr("guide.empty"), "muted", wrap=True))
            self._lines.addStretch()
            return
        self._say("guide.conditions", item.conditions)
        self._say("guide.limits", _limits(item))
        self._say("guide.fee", item.fee or tr("item.free"))
        self._say("guide.result", item.result)
        self._say("guide.visits", tr("guide.visits_count", count=item.visits))
        self._say("guide.offline", tr(f"guide.offline_{item.offline}"))
        self._say("guide.advice", item.advice_phone)
        self._say("guide.supervision", item.supervision_phone)
        self._say("guide.address", " · ".join(p for p in (item.address, item.hours) if p))
        self._say("guide.process", item.process)
        self._say("guide.basis", item.legal_basis)
        for faq in item.faq:
            self._say_text(faq.question, faq.answer)
        self._lines.addWidget(ElidedLabel(tr("guide.version", version=item.version, code=item.code), "faint"))
        self._lines.addStretch()

    def _say(self, title: str, text: str) -> None:
        if text:
            self._say_text(tr(title), text)

    def _say_text(self, title: str, text: str) -> None:
        self._lines.addWidget(label(title, "title", wrap=True))
        self._lines.addWidget(label(text, "muted", wrap=True, selectable=True))
        self._lines.addSpacing(6)


def _limits(item: ItemView) -> str:
    legal = tr(f"guide.legal_{item.day_unit}", count=item.legal_days)
    if item.immediate:
        return f"{legal} · {tr('guide.immediate')}"
    return f"{legal} · {tr(f'guide.promised_{item.day_unit}', count=item.promised_days)}"
