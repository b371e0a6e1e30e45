"""The picture on a person's card, or the silhouette that stands for it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from clerk_app.desk.views import PersonView
from clerk_app.domain.applicant import EntrySource
from clerk_app.ui import icons, theme
from clerk_app.ui.pieces import column, row
from clerk_app.ui.portraits import Portraits
from clerk_app.ui.words import tr

_WIDTH, _HEIGHT = 102, 126
"""Of the picture on a card, in dots; shown so at 100 %."""
_ALONE = 40
"""Of the silhouette where no picture will take its place."""


class Portrait(QLabel):
    """`image` or a silhouette: as large as a picture that is `awaited`, so that nothing moves as it comes,
    else small.
    """

    def __init__(self, name: str, image: QImage | None, *, awaited: bool) -> None:
        super().__init__()
        self.pictured = image is not None
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName(tr("applicant.photo" if self.pictured else "applicant.no_photo", name=name))
        self.setToolTip(self.accessibleName())
        look = theme.current()
        size = QSize(*map(look.px, (_WIDTH, _HEIGHT) if awaited or self.pictured else (_ALONE, _ALONE)))
        self.setFixedSize(size)
        if image is not None:
            ratio, mode = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            self.setPixmap(QPixmap.fromImage(image.scaled(size, ratio, mode)))
        else:
            self.setProperty("piece", "portrait")
            self.setPixmap(icons.pixmap("person", "faint", 64 if awaited else 28))


def beside(person: PersonView, portraits: Portraits | None) -> tuple[QWidget, QVBoxLayout]:
    """A widget and its column for what is said of `person`; beside the picture when a card was read."""
    place = QWidget()
    if portraits is None or person.source is not EntrySource.CARD:
        return place, column(place, gap=8)
    line = row(place, gap=12)
    shown = Portrait(person.name, portraits.of(person), awaited=portraits.awaits(person))
    line.addWidget(shown, 0, Qt.AlignmentFlag.AlignTop)
    said = column(gap=8)
    line.addLayout(said, 1)
    return place, said
