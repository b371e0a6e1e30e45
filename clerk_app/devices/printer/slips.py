"""Each slip as a page: its template filled in, and what no template may leave out.

A practice slip begins and ends with a black bar on every piece of paper, a reprint and the office's copy say
so before anything else, a receipt voucher never looks like a notice of acceptance, and the program makes the
cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from clerk_app.devices.printer.columns import columns
from clerk_app.devices.printer.layout import BOLD, TITLE, Cut, Element, Page, Roll
from clerk_app.devices.printer.templates.drawing import Drawing
from clerk_app.devices.printer.templates.loading import Templates
from clerk_app.devices.printer.templates.words import VOCABULARY
from clerk_app.devices.printer.wording import ENGLISH, OFFICE_COPY, Language, ordinal_mark
from clerk_app.domain.documents import ReceiptSlip, Slip, VoidSlip

_BUILT_IN = Templates()


def page(
    slip: Slip,
    roll: Roll,
    *,
    reprint: int = 0,
    language: Language = Language.ZH,
    copy: int = 1,
    templates: Templates | None = None,
) -> tuple[Element, ...]:
    """The elements of `slip` on `roll`, from its practice bar to the cut.

    `reprint` > 0 marks it 补打 with that count, `copy` > 1 as the office's copy (存根). Without
    `templates` it is the built-in one without a logo.
    """
    templates = templates or _BUILT_IN
    paper = _Paper(Page(roll), slip.practice, reprint, copy, language is Language.ZH_EN)
    drawing = Drawing(
        page=paper.page,
        english=paper.english,
        logo=templates.logo(roll),
        drawer=copy == 1 and not reprint,
        statement=lambda: _statement(slip, drawing),
        divide=paper.divide,
    )
    paper.begin()
    drawing.draw(templates.of(slip), slip, VOCABULARY[type(slip)].words)
    paper.end()
    return paper.page.elements


@dataclass(frozen=True, slots=True)
class _Paper:
    """The marks that stand on every piece of paper of a slip."""

    page: Page
    practice: bool
    reprint: int
    copy: int
    english: bool

    def begin(self) -> None:
        self._practice_bar()
        if self.reprint:
            self.page.centred(ordinal_mark(self.reprint), TITLE)
        if self.copy > 1:
            self.page.centred(self._both(OFFICE_COPY), TITLE)
        if self.reprint or self.copy > 1:
            self.page.rule("=")

    def end(self) -> None:
        self._practice_bar()
        self.page.add(Cut())

    def divide(self) -> None:
        self.end()
        self.begin()

    def _practice_bar(self) -> None:
        if not self.practice:
            return
        page = self.page
        page.space(12)
        words = self._both("练习")
        starred = f"★ {words} ★"
        page.banner(starred if columns(starred) * TITLE.width <= page.roll.columns else words)
        page.banner("练习专用，不具效力", BOLD)
        if self.english:
            page.banner(ENGLISH["练习专用，不具效力"], BOLD)
        page.space(12)

    def _both(self, text: str) -> str:
        return f"{text} {ENGLISH[text]}" if self.english else text


def _statement(slip: Slip, drawing: Drawing) -> None:
    """What the slip is by law, in words that no template changes: nothing uncertain is printed as certain."""
    match slip:
        case ReceiptSlip(accepted_at=None):
            _sentence("本凭证不代表受理", ENGLISH["本凭证不代表受理"], drawing)
        case ReceiptSlip(accepted_at=at) if at is not None:
            same_day = at.date() == slip.received_at.date()
            when = f"{at:%H:%M}" if same_day else f"{at:%Y-%m-%d %H:%M}"
            _sentence(
                f"已于 {when} 受理，受理通知书另行出具",
                f"Accepted at {when}; notice to follow",
                drawing,
            )
        case VoidSlip():
            drawing.page.banner("作废 " + ENGLISH["作废"] if drawing.english else "作废")


def _sentence(chinese: str, english: str, drawing: Drawing) -> None:
    drawing.centred(chinese, BOLD)
    if drawing.english:
        drawing.page.centred(english)
