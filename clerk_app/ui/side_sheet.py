"""A sheet that slides over the right side: never modal, closed by Esc, the work below goes on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from clerk_app.ui import icons, theme
from clerk_app.ui.pieces import column, label, on_click, row
from clerk_app.ui.words import tr


class SideSheet(QFrame):
    """Signals: closed. Subclasses fill `body` and call `tell_title()` from `retranslate()`."""

    closed = Signal()

    def __init__(self, over: QWidget, title: str, width: int) -> None:
        super().__init__(over)
        self.setObjectName("sheet")
        self._title_key = title
        self._width = width
        self._over = over
        self._title = label(role="heading")
        self._close = QPushButton()
        self._close.setProperty("kind", "icon")
        on_click(self._close, self.put_away)
        self.body = column(self, gap=10)
        self.body.setContentsMargins(20, 16, 16, 16)
        top = row()
        top.addWidget(self._title)
        top.addStretch()
        top.addWidget(label("Esc", "key"))
        top.addWidget(self._close)
        self.body.addLayout(top)
        over.installEventFilter(self)
        self.hide()

    def show_up(self) -> None:
        self.retranslate()
        self._fit()
        self.show()
        self.raise_()

    def put_away(self) -> bool:
        """Close the sheet; whether it was open."""
        was_open = not self.isHidden()
        self.hide()
        if was_open:
            self.closed.emit()
        return was_open

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        width = min(theme.current().px(self._width), self._over.width())
        self.setGeometry(self._over.width() - width, 0, width, self._over.height())

    def retranslate(self) -> None:
        if not self.isHidden():
            self._fit()  # another size of everything
        self._title.setText(tr(self._title_key))
        self._close.setIcon(icons.icon("close"))
        self._close.setAccessibleName(tr("banner.close"))
