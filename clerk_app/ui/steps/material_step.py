"""Step 5: what was handed over and how: paper, original seen, electronic licence, to follow, promised."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from clerk_app.desk.views import MaterialView
from clerk_app.ui.pieces import ChoiceBox, TickBox, clear, column, label, mark, row
from clerk_app.ui.steps.step_card import StepCard
from clerk_app.ui.words import either, tr


class _MaterialRow(QFrame):
    """One material. Signals: handed(key, mode or "")."""

    handed = Signal(str, str)

    def __init__(self, material: MaterialView) -> None:
        super().__init__()
        self.setProperty("piece", "row")
        self._material = material
        self._tick = TickBox()
        self._count = label(role="muted")
        self._mode = ChoiceBox()
        self._basis = label(role="faint", wrap=True)
        body = column(self, gap=2)
        body.setContentsMargins(10, 5, 6, 6)
        top = row()
        top.addWidget(self._tick)
        top.addWidget(self._count)
        top.addStretch()
        top.addWidget(self._mode)
        body.addLayout(top)
        below = row(gap=0)
        below.addSpacing(28)  # under the words, not under the tick
        below.addWidget(self._basis)
        body.addLayout(below)
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
        self._count.setText(_count(material))
        self._mode.clear()
        for mode in material.modes:
            self._mode.addItem(tr(f"mode.{mode.value}"), mode.value)
        place = material.modes.index(material.mode) if material.mode in material.modes else 0
        self._mode.setCurrentIndex(place)
        self._mode.setVisible(bool(material.modes))
        self._mode.setAccessibleName(tr("material.mode_of", name=name))
        self._basis.setText(material.basis)
        self._basis.setVisible(bool(material.basis))
        mark(self, state="on" if material.mode else "off")

    def focus(self) -> None:
        self._tick.setFocus()

    def _ticked(self) -> None:
        mode = str(self._mode.currentData() or "") if self._tick.isChecked() else ""
        self.handed.emit(self._material.key, mode)

    def _chosen(self) -> None:
        self.handed.emit(self._material.key, str(self._mode.currentData()))


class MaterialStep(StepCard):
    """Signals: handed(key, mode or "" for not handed over)."""

    handed = Signal(str, str)

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
            self.tell_head()
        else:
            self._fill()
            self.tell_head()

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
            self._list.addWidget(line)
        if not self._rows:
            empty: QWidget = label(tr("material.none" if self._has_item else "step.after_item"), "muted")
            self._list.addWidget(empty)

    def retranslate(self) -> None:
        self._fill()
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
