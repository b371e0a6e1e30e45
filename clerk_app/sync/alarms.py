"""What IT has to know although the window goes on: into the log, the audit chain and the doctor's sight.

The audit chain travels to the office, so an alarm of ten thousand windows is found in one place.
"""

from __future__ import annotations

import logging

from clerk_app.desk.ports import Clock, Store, Transaction

_log = logging.getLogger(__name__)

ALARM_KEY = "sync_alarm"
"""Meta: the last alarm, its code and when, ISO 8601."""


def alarm(store: Store, clock: Clock, code: str, detail: str) -> None:
    """Record `code`, a failure's; `detail` is never personal data."""
    now = clock.now()
    _log.error("%s: %s", code, detail)

    def record(tx: Transaction) -> None:
        tx.meta.set(ALARM_KEY, f"{code} {now.isoformat()}")
        tx.audit.add(at=now, actor="workstation", act="sync-alarm", subject=code, detail=detail)

    store.write(record)
