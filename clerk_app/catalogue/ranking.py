"""Why a hit is first: the points a kind gets, in one table.

A kind's points for one term are

    how the term was found   typed characters 100, whole syllables 94, parts of syllables 90, initials 88;
                             English words 84; the same sound in other characters 74; scattered over the
                             name up to 80, by the share of the rare characters that are there; one slip
                             of the finger in the pinyin 66; a department or body of that name 60
  + where it was found       all that was typed is the whole name or alias +30; it begins with it +16;
                             one of several terms that ends the name +16 (the thing first, then the act)
  + in which line            the official name +5; an alias +3; its result -10; a theme -40
  + how much it covers       up to +12, the share of the line that was typed
  + echo in the name         up to +8, the share of the typed characters that the official name has: it orders
                             kinds that share an alias

and for several terms the mean over the terms (a term that was not found counts nothing). To that come

  + habit                    up to +12: the window's last kinds and those it accepts most often
  + audience                 -10 when the kind does not serve the applicant at the window

An official code outranks everything. Kinds with equal points stand in the order of their use: the more
bodies have the item, the earlier; then by basic code. Habit is less than what separates a name that begins
with the term from one that merely holds it: it orders equals, it does not hide what was typed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from clerk_app.catalogue.lines import LINE_END, LineField, Lines
from clerk_app.desk.ports import SearchContext
from clerk_app.domain.catalogue import Audience

QUALITY = {"character": 100.0, "syllable": 94.0, "part": 90.0, "initial": 88.0}
SOUND = {"character": 74.0, "syllable": 74.0, "part": 74.0, "initial": 74.0}
CODE = 300.0
ENGLISH = 84.0
SCATTERED = 80.0
SLIP = 66.0
PLACE = 60.0

WHOLE = 30.0
START = 16.0
COVER = 12.0
ECHO = 8.0
IN_FIELD = (5.0, 3.0, -10.0, -40.0, 0.0)
"""By `LineField`."""

NAME = int(LineField.NAME)
OTHER_AUDIENCE = -10.0
RECENT = 6.0
FREQUENT = 6.0


class Match(NamedTuple):
    """Where a term was found in a kind: `start` in the lines (-1: not in a line) and `span` characters.

    `points` are those of how it was found; when it is not in a line they are final.
    """

    points: float
    start: int = -1
    span: int = 0


def line_points(match: Match, lines: Lines, *, alone: bool = True) -> float:
    """The points of `match` with where it stands, its line and how much of it was typed.

    `alone`: the term is all that was typed. One of several terms is never "the whole name".
    """
    quality, at, span = match
    if at < 0:
        return quality
    characters = lines.characters
    start, end = characters.rfind(LINE_END, 0, at) + 1, characters.find(LINE_END, at)
    field = lines.fields[at]
    points = quality + IN_FIELD[field] + COVER * span / (end - start)
    if at == start:
        points += WHOLE if alone and span >= end - start else START
    elif not alone and at + span == end:
        points += START
    if field == NAME:
        return points + ECHO
    name = lines.name(lines.owners[at])
    echoed = 0
    for character in characters[at : at + span]:
        echoed += character in name
    return points + ECHO * echoed / span


def habit_points(recent_place: int | None, times: int, most: int) -> float:
    """Up to `RECENT` for the place in the recent list (0 is the last), up to `FREQUENT` for how often."""
    points = 0.0
    if recent_place is not None:
        points += RECENT / (1 + 0.2 * recent_place)
    if times > 0:
        points += FREQUENT * math.log1p(times) / math.log1p(max(most, times))
    return points


def audience_points(audience: str, context: SearchContext) -> float:
    """`OTHER_AUDIENCE` when the applicant is known and the kind is not for such applicants."""
    if not context.audience or audience in {Audience.BOTH.value, context.audience}:
        return 0.0
    return OTHER_AUDIENCE
