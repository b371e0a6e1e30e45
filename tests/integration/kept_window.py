"""A window as `clerk-app enrol` leaves it: settings, cache, recovery file, keyring; opened at will."""

from __future__ import annotations

from pathlib import Path

from office_hall import CLERK, Hall
from sync_window import Tokens, Window

from back_office.embedded import enrolment_code
from clerk_app.bootstrap import enrol_with
from clerk_app.failures import Failure
from clerk_app.settings import Settings
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import KEY_BYTES, throw_away_key
from clerk_app.sync.office import DirectOffice
from clerk_app.upkeep import Upkeep


class LosableKey:
    """A keyring entry that can be lost."""

    def __init__(self) -> None:
        self.kept: bytes | None = throw_away_key().secret

    def key(self, *, create: bool) -> bytes:
        if self.kept is None:
            raise Failure("STORE-KEY-LOST", "no entry")
        return self.kept

    def restore(self, key: bytes) -> None:
        self.kept = key

    def lose(self) -> None:
        self.kept = None

    def change(self) -> None:
        self.kept = bytes(KEY_BYTES)


class KeptWindow(Window):
    """`work` opens it, `close` closes it; `upkeep` is what IT does in between."""

    def __init__(self, hall: Hall, folder: Path, name: str = "综合窗口12") -> None:
        self.url = hall.url
        self.settings = Settings(folder, office_url=hall.url)
        self.key = LosableKey()
        self.tokens = Tokens()
        self.name = name
        self.enrol_here(hall)

    def enrol_here(self, hall: Hall, again: str | None = None) -> None:
        code = enrolment_code(hall.folder, window=self.name, again=again)
        self.device = enrol_with(self.settings, code, self.key, self.tokens)

    def work(self, *, signed_in: bool = True) -> KeptWindow:
        self.token = self.tokens.kept[self.device.id]
        self.store = SqlStore.open(self.cache, self.key)
        self.wire()
        if signed_in:
            office = DirectOffice(client := self.connect(), self.device)
            operator = office.sign_in(CLERK.staff_no, CLERK.password).operator
            self.store.write(lambda tx: tx.operators.save(operator, "verifier"))
            client.close()
        return self

    @property
    def cache(self) -> Path:
        return self.settings.folder / "cache"

    def upkeep(self) -> Upkeep:
        return Upkeep(self.settings, self.key, self.tokens)
