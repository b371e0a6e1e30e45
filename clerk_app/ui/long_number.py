"""A number too long for its panel: it breaks anywhere, and is still copied as one."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QSizePolicy, QTextEdit


class LongNumber(QTextEdit):
    """Selected with the mouse and copied without a break; as high as the lines it needs."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "long_number")
        self.setReadOnly(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())

    def tell(self, number: str) -> None:
        """Show `number`; what a screen reader says of it is the caller's."""
        if number != self.toPlainText():
            self.setPlainText(number)

    def sizeHint(self) -> QSize:
        return QSize(120, self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self._height())

    def _height(self) -> int:
        return round(self.document().size().height())

    def _fit(self) -> None:
        if self.maximumHeight() != self._height():
            self.setFixedHeight(self._height())
