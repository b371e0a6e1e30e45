"""What the audit says when the office could not prove itself: somebody may stand in the line."""

from __future__ import annotations

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import LinkState, LinkStatus


class OfficeTrust:
    """Whether a failed proof of the office is news. For one thread at a time."""

    def __init__(self) -> None:
        self._noted = False

    def lost(self, status: LinkStatus) -> bool:
        """True once for a certificate that is not the office's, until the office was reached again."""
        if status.state is LinkState.ONLINE:
            self._noted = False
            return False
        if status.code != "SYNC-TLS" or self._noted:
            return False
        self._noted = True
        return True


def note_lost(desk: Desk) -> None:
    """Put it into the audit; nobody did it, the window noticed."""
    now = desk.clock.now()
    desk.store.write(
        lambda tx: tx.audit.add(at=now, actor="window", act="office-not-trusted", subject="SYNC-TLS")
    )
