"""The small parts of every panel: cards, chips, buttons with their key, labels that never lose text."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from clerk_app.ui import icons, theme


def mark(widget: QWidget, **properties: str) -> None:
    """Set style properties and let the style sheet see them, when one changed."""
    changed = False
    for name, value in properties.items():
        if widget.property(name) != value:
            widget.setProperty(name, value)
            changed = True
    if changed:
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def clear(layout: QLayout) -> None:
    """Take everything out of `layout`; its widgets are hidden at once and die with the event loop."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear(inner)


def column(parent: QWidget | None = None, *, margin: int = 0, gap: int = 8) -> QVBoxLayout:
    layout = QVBoxLayout(parent) if parent else QVBoxLayout()
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(gap)
    return layout


def row(parent: QWidget | None = None, *, margin: int = 0, gap: int = 8) -> QHBoxLayout:
    layout = QHBoxLayout(parent) if parent else QHBoxLayout()
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(gap)
    return layout


def label(text: str = "", role: str = "", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


class ElidedLabel(QLabel):
    """One line that shortens itself when there is no room, and then tells the whole in its tooltip."""

    def __init__(self, text: str = "", role: str = "", *, least: int = 40) -> None:
        super().__init__()
        self._whole = ""
        self._least = least
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if role:
            self.setProperty("role", role)
        self.set_whole(text)

    @property
    def whole(self) -> str:
        return self._whole

    def set_whole(self, text: str) -> None:
        self._whole = text
        self.setAccessibleName(text)
        self.updateGeometry()
        self._fit()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self._whole) + 2, hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(
            min(self.sizeHint().width(), theme.current().px(self._least)), super().sizeHint().height()
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        shown = QFontMetrics(self.font()).elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class Card(QFrame):
    """A white surface with a thin line around it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("piece", "card")


class IconLabel(QLabel):
    """An icon that keeps its meaning when the theme changes: call `redraw()` then."""

    def __init__(self, name: str = "", ink: str = "text", size: int = 16) -> None:
        super().__init__()
        self._drawn = (name, ink, size)
        self.redraw()

    def show_icon(self, name: str, ink: str = "text") -> None:
        self._drawn = (name, ink, self._drawn[2])
        self.redraw()

    def redraw(self) -> None:
        name, ink, size = self._drawn
        if name:
            self.setPixmap(icons.pixmap(name, ink, size))
        else:
            self.clear()


class Chip(QFrame):
    """State as icon, word and colour together. Tones: "", "ok", "warn", "bad", "primary"."""

    def __init__(self, icon: str = "", text: str = "", tone: str = "") -> None:
        super().__init__()
        self.setProperty("piece", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        layout = row(self, gap=5)
        layout.setContentsMargins(9, 3, 10, 3)
        self._icon = IconLabel(size=14)
        self._text = label()
        layout.addWidget(self._icon)
        layout.addWidget(self._text)
        self.tell(icon, text, tone)

    @property
    def text(self) -> str:
        return self._text.text()

    @property
    def told(self) -> tuple[str, str, str]:
        """Icon, words and tone as last told."""
        return self._told

    def tell(self, icon: str, text: str, tone: str = "") -> None:
        self._told = (icon, text, tone)
        mark(self, tone=tone)
        for part in (self._icon, self._text):
            mark(part, chip=tone)
        self._icon.show_icon(icon, tone or "muted")
        self._icon.setVisible(bool(icon))
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleName(text)
        self.updateGeometry()  # the line it stands in may ask at once how much room is left

    def tint(self, icon: str, ink: str) -> None:
        """Draw the icon in another colour than the tone's, for a chip on a coloured ground."""
        self._icon.show_icon(icon, ink)


class KeyButton(QPushButton):
    """A button that shows its words and, beside them, the key that does the same."""

    def __init__(self, kind: str = "", *, large: bool = False, wide: bool = False) -> None:
        """`wide` buttons fill the line they stand in; the others are as wide as their words."""
        super().__init__()
        self.setProperty("kind", kind)
        if large:
            self.setProperty("size", "large")
        inside = row(self, gap=8)
        inside.setContentsMargins(12, 4, 12, 4)
        self._icon = IconLabel(size=18)
        self._icon.hide()
        self._words = label()
        self._key = label(role="keycap")
        inside.addStretch()
        for part in (self._icon, self._words, self._key):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            inside.addWidget(part)
        inside.addStretch()
        across = QSizePolicy.Policy.Minimum if wide else QSizePolicy.Policy.Fixed
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)

    @property
    def words(self) -> str:
        return self._words.text()

    def tell(self, words: str, key: str = "", icon: str = "", ink: str = "text") -> None:
        self._words.setText(words)
        self._key.setText(key)
        self._key.setVisible(bool(key))
        self._icon.show_icon(icon, ink)
        self._icon.setVisible(bool(icon))
        self.setAccessibleName(f"{words} {key}".strip())
        self.updateGeometry()

    def set_kind(self, kind: str) -> None:
        """Change the weight of the button: "primary", "danger", "link" or "" for the plain one."""
        mark(self, kind=kind)
        for part in (self._words, self._key):
            mark(part, within=kind)

    def sizeHint(self) -> QSize:
        inside = self.layout()
        hint = inside.sizeHint() if inside else super().sizeHint()
        return QSize(hint.width(), max(hint.height(), theme.current().px(36)))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            for part in (self._words, self._key):
                mark(part, shown="on" if self.isEnabled() else "off")


class TickBox(QCheckBox):
    """A check box whose tick is drawn from the icon font, sharp at every scale; long words are shortened."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        hint = self.sizeHint()
        return QSize(min(hint.width(), theme.current().px(110)), hint.height())

    def sizeHint(self) -> QSize:
        look = theme.current()
        words = QFontMetrics(self.font()).horizontalAdvance(self.text())
        return QSize(words + look.px(30), max(look.px(26), QFontMetrics(self.font()).height()))

    def hitButton(self, pos: object) -> bool:
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        side = look.px(18)
        box = QRect(2, (self.height() - side) // 2, side, side)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        painter.setPen(QPen(look.colour("primary" if on else "edge"), 1.5))
        painter.setBrush(look.colour("primary" if on else "surface"))
        painter.drawRoundedRect(box, look.px(4), look.px(4))
        if on:
            inner = box.adjusted(look.px(2), look.px(2), -look.px(2), -look.px(2))
            icons.icon("done", "on").paint(painter, inner)
        if self.hasFocus():
            painter.setPen(QPen(look.colour("primary"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), look.px(4), look.px(4))
        painter.setPen(look.colour("text"))
        words = self.rect().adjusted(side + look.px(10), 0, 0, 0)
        shown = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()


class ChoiceBox(QComboBox):
    """A drop-down that the mouse wheel never changes: forms scroll under the pointer."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def shrink(self) -> None:
        """Take as much width as there is, not as much as the longest choice asks for."""
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        look = theme.current()
        side = look.px(12)
        painter = QPainter(self)
        spot = QRect(self.width() - side - look.px(10), (self.height() - side) // 2, side, side)
        icons.icon("caret_down", "muted").paint(painter, spot)
        painter.end()


class FittingScroll(QScrollArea):
    """A scroll area that asks for as much height as its content has, and scrolls when it gets less."""

    def __init__(self, content: QWidget, *, least: int = 96) -> None:
        super().__init__()
        content.setObjectName("inside")
        self._least = least
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        content.installEventFilter(self)

    def sizeHint(self) -> QSize:
        return QSize(200, self._content_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, min(self._content_height(), theme.current().px(self._least)))

    def _content_height(self) -> int:
        content = self.widget()
        layout = content.layout()
        width = self.viewport().width()
        if layout is not None and layout.hasHeightForWidth():
            return layout.heightForWidth(width)
        return content.sizeHint().height()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit_content()
        return bool(super().eventFilter(watched, event))  # type: ignore[arg-type]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit_content()

    def _fit_content(self) -> None:
        # Qt squeezes wrapped text into the viewport: the least height of a layout ignores its width.
        needed = self._content_height()
        if self.widget().minimumHeight() != needed:
            self.widget().setMinimumHeight(needed)
        self.updateGeometry()


def on_click(button: QPushButton, act: Callable[[], object]) -> None:
    """Connect without the `checked` argument Qt adds."""
    button.clicked.connect(lambda _checked=False: act())
