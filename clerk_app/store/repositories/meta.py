"""Small facts of the workstation: the device it was enrolled as, the calendar, what it must remember."""

from __future__ import annotations

from sqlalchemy import Integer, String, case, cast, func, literal, select, update

from clerk_app.desk.ports import CommandState, Device
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.store.repositories.rows import Statements, columns, one, upsert, values
from clerk_app.store.tables import calendar, device, facts, outbox

EPOCH = func.coalesce(select(device.c.epoch).scalar_subquery(), 0)
"""The device's epoch in SQL; 0 before enrolment."""

_PURGED = "purged_through:"

PURGED_THROUGH = func.coalesce(
    select(cast(facts.c.value, Integer))
    .where(facts.c.key == literal(_PURGED, String) + cast(EPOCH, String))
    .scalar_subquery(),
    0,
)
"""The highest sequence number of this epoch that retention took out of the outbox, in SQL; else 0."""

NEXT_SEQ = (
    select(func.max(func.coalesce(func.max(outbox.c.seq), 0), PURGED_THROUGH) + 1)
    .where(outbox.c.epoch == EPOCH)
    .scalar_subquery()
)
"""The sequence number the next command of this epoch gets, in SQL: no number is given twice."""


def purged_key(epoch: int) -> str:
    """The fact that holds `PURGED_THROUGH` of an epoch."""
    return f"{_PURGED}{epoch}"


UNANSWERED = (CommandState.WAITING, CommandState.SENT)

_SAVE_DEVICE = upsert(device, "one")
_SAVE_CALENDAR = upsert(calendar, "one")
_SAVE_FACT = upsert(facts, "key")
_DEVICE = select(*columns(device, Device))


class SqlMeta:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def device(self) -> Device | None:
        return one(Device, self._sql.execute(_DEVICE))

    def set_device(self, device: Device) -> None:
        """Keep what enrolment made of this workstation.

        A new epoch starts the sequence anew: commands without a final answer, those the office held included,
        get the next numbers of it in their old order and under their old ids; blocks of numbers of the old
        epoch are void.
        Raises ValueError for an epoch that lies behind.
        """
        known = self.device()
        if known and device.epoch < known.epoch:
            raise ValueError(f"epoch {device.epoch} after {known.epoch}")
        self._sql.run(_SAVE_DEVICE, {"one": 1} | values(device))
        if known is None or device.epoch > known.epoch:
            self._renumber_unanswered()

    def _renumber_unanswered(self) -> None:
        open_ = outbox.c.state.in_((*UNANSWERED, CommandState.HELD)) & (outbox.c.epoch != EPOCH)
        state = case((outbox.c.state == CommandState.HELD, CommandState.SENT), else_=outbox.c.state)
        for n in self._sql.execute(select(outbox.c.n).where(open_).order_by(outbox.c.n)).scalars().all():
            moved = update(outbox).where(outbox.c.n == n)
            self._sql.execute(moved.values(epoch=EPOCH, seq=NEXT_SEQ, state=state))

    def calendar(self) -> WorkingCalendar:
        """The known working days; before the first sync a calendar without years."""
        return self._sql.execute(select(calendar.c.days)).scalar_one_or_none() or WorkingCalendar()

    def set_calendar(self, calendar: WorkingCalendar) -> None:
        self._sql.run(_SAVE_CALENDAR, {"one": 1, "days": calendar})

    def get(self, key: str) -> str | None:
        return self._sql.execute(select(facts.c.value).where(facts.c.key == key)).scalar_one_or_none()

    def set(self, key: str, value: str) -> None:
        self._sql.run(_SAVE_FACT, {"key": key, "value": value})
