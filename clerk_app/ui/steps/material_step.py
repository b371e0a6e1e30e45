"""Step 5: what was handed over and how: paper, original seen, electronic licence, to follow, promised."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QWidget

from clerk_app.desk.views import MaterialView
from clerk_app.ui import theme
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import (
    Chip,
    ChoiceBox,
    ElidedLabel,
    KeyButton,
    TickBox,
    clear,
    column,
    label,
    mark,
    on_click,
    row,
)
from clerk_app.ui.steps.step_card import StepCard
from clerk_app.ui.words import either, tr

_NARROW = 560
"""Below this width (at 100 %) a row says with icons alone what concerns its pages."""


class _MaterialRow(QFrame):
    """One material. Signals: handed(key, mode or ""), scan (its pages), entered (the focus came to it)."""

    handed = Signal(str, str)
    scan = Signal(str)
    entered = Signal()

    def __init__(self, material: MaterialView) -> None:
        super().__init__()
        self.setProperty("piece", "row")
        self._material = material
        self._tick = TickBox()
        self._count = ElidedLabel(role="muted", least=24)
        self._pages = Chip()
        self._scan = KeyButton("link")
        self._scan.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its key does it from anywhere in the row
        self._has_key = self._narrow = False
        self._mode = ChoiceBox()
        self._mode.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)  # in each language
        self._basis = label(role="faint", wrap=True)
        body = column(self, gap=2)
        body.setContentsMargins(10, 5, 6, 6)
        top = row()
        top.addWidget(self._tick)
        top.addWidget(self._count)
        top.addStretch()
        top.addWidget(self._pages)
        top.addWidget(self._scan)
        top.addWidget(self._mode)
        body.addLayout(top)
        below = row(gap=0)
        below.addSpacing(28)  # under the words, not under the tick
        below.addWidget(self._basis)
        body.addLayout(below)
        on_click(self._scan, lambda: self.scan.emit(self._material.key))
        for part in (self._tick, self._mode):
            part.installEventFilter(self)
        self._tick.clicked.connect(self._ticked)
        self._mode.activated.connect(self._chosen)
        self.show_material(material)

    def show_material(self, material: MaterialView) -> None:
        self._material = material
        name = either(material.name, material.name_en)
        required = "" if material.required else f"  ({tr('material.optional')})"
        self._tick.setText(name + required)
        self._tick.setToolTip(name)
        self._tick.setChecked(material.mode is not None)
        self._tick.updateGeometry()
        self._tick.setAccessibleName(name + required)
        self._count.set_whole(_count(material))
        self._tell_pages()
        self._mode.clear()
        for mode in material.modes:
            self._mode.addItem(tr(f"mode.{mode.value}"), mode.value)
        place = material.modes.index(material.mode) if material.mode in material.modes else 0
        self._mode.setCurrentIndex(place)
        self._mode.setMinimumWidth(theme.current().px(104))  # it gives way before the row is cut off
        self._mode.setVisible(bool(material.modes))
        self._mode.setAccessibleName(tr("material.mode_of", name=name))
        self._basis.setText(material.basis)
        self._basis.setVisible(bool(material.basis))
        mark(self, state="on" if material.mode else "off")

    def _tell_pages(self) -> None:
        """How many pages there are, and the button that adds some; where there is little room, as icons."""
        material = self._material
        count, scan = tr("pages.count", count=material.pages), tr("pages.scan_of", name=self._tick.toolTip())
        self._pages.tell("page", str(material.pages) if self._narrow else count)
        self._pages.setAccessibleName(count)
        self._pages.setToolTip(count)
        self._pages.setVisible(material.pages > 0)
        key = Key.SCAN if self._has_key and not self._narrow else ""
        self._scan.tell("" if self._narrow else tr("pages.scan"), key, "scan", "primary")
        self._scan.setAccessibleName(scan)
        self._scan.setToolTip(f"{scan}  {Key.SCAN}")

    def give_key(self, has_key: bool) -> None:
        """Whether the key that scans means this row."""
        if has_key != self._has_key:
            self._has_key = has_key
            self._tell_pages()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < theme.current().px(_NARROW)
        if narrow != self._narrow:
            self._narrow = narrow
            self._tell_pages()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.entered.emit()
        return super().eventFilter(watched, event)

    def focus(self) -> None:
        self._tick.setFocus()

    def _ticked(self) -> None:
        mode = str(self._mode.currentData() or "") if self._tick.isChecked() else ""
        self.handed.emit(self._material.key, mode)

    def _chosen(self) -> None:
        self.handed.emit(self._material.key, str(self._mode.currentData()))


class MaterialStep(StepCard):
    """Signals: handed(key, mode or "" for not handed over), scan(key of the material)."""

    handed = Signal(str, str)
    scan = Signal(str)

    def __init__(self) -> None:
        super().__init__(5, "step.material")
        self._materials: tuple[MaterialView, ...] = ()
        self._has_item = False
        self._rows: dict[str, _MaterialRow] = {}
        self._list = column(gap=6)
        self.body.addLayout(self._list)

    def show_materials(self, materials: tuple[MaterialView, ...], *, has_item: bool) -> None:
        self._materials, self._has_item = materials, has_item
        if list(self._rows) == [material.key for material in materials] and materials:
            for material in materials:
                self._rows[material.key].show_material(material)
        else:
            self._fill()
        self._give_key()
        self.tell_head()

    def in_hand(self) -> str:
        """The material whose row has the focus, or the first without a page; empty when there is none."""
        focused = (key for key, line in self._rows.items() if line.isAncestorOf(self.focusWidget() or self))
        bare = (material.key for material in self._materials if not material.pages)
        return next(focused, "") or next(bare, "") or next(iter(self._rows), "")

    def focus_first(self) -> None:
        for material in self._materials:
            if material.mode is None:
                self._rows[material.key].focus()
                return
        super().focus_first()

    def _fill(self) -> None:
        clear(self._list)
        self._rows = {material.key: _MaterialRow(material) for material in self._materials}
        for line in self._rows.values():
            line.handed.connect(self.handed)
            line.scan.connect(self.scan)
            line.entered.connect(self._give_key)
            self._list.addWidget(line)
        if not self._rows:
            empty: QWidget = label(tr("material.none" if self._has_item else "step.after_item"), "muted")
            self._list.addWidget(empty)

    def _give_key(self) -> None:
        """The row the key means shows it."""
        at_hand = self.in_hand()
        for key, line in self._rows.items():
            line.give_key(key == at_hand)

    def focus_material(self, key: str) -> None:
        """Put the hand to the row of one material; nothing when it does not show."""
        if key in self._rows and self._rows[key].isVisible():
            self._rows[key].focus()

    def retranslate(self) -> None:
        self.show_materials(self._materials, has_item=self._has_item)  # the same rows: the hand stays there
        super().retranslate()

    def summary(self) -> str:
        if not self._has_item:
            return tr("step.after_item")
        if not self._materials:
            return tr("material.none")
        handed = sum(material.mode is not None for material in self._materials)
        return tr("material.summary", handed=handed, count=len(self._materials))


def _count(material: MaterialView) -> str:
    parts = []
    if material.originals:
        parts.append(tr("material.originals", count=material.originals))
    if material.copies:
        parts.append(tr("material.copies", count=material.copies))
    return " · ".join(parts)
