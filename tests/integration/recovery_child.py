"""A keyring that loses the key of the cache, and the recovery of it, in a session bus of its own.

python recovery_child.py FOLDER     prints one line of JSON
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keyring
from office_hall import CLERK, Hall, served
from sync_window import Window

from back_office import devices
from back_office.embedded import enrolment_code
from clerk_app.bootstrap import cache_key, enrol_with
from clerk_app.failures import Failure
from clerk_app.settings import Settings
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import KeyringKey
from clerk_app.sync.enrolment import KeyringTokens
from clerk_app.sync.office import DirectOffice
from clerk_app.upkeep import Upkeep


def main(folder: Path) -> None:
    with served(folder / "office") as hall:
        settings = Settings(folder / "window", office_url=hall.url)
        key = cache_key(settings)
        assert isinstance(key, KeyringKey)
        tokens = KeyringTokens()
        device = enrol_with(settings, enrolment_code(hall.folder, window="综合窗口12"), key, tokens)
        upkeep = Upkeep(settings, key, tokens)
        window = Window.__new__(Window)
        window.url, window.device = hall.url, device
        window.token = tokens.load(device.id) or ""
        window.store = SqlStore.open(settings.folder / "cache", key)
        window.wire()
        office = DirectOffice(client := window.connect(), device)
        office.sign_in(CLERK.staff_no, CLERK.password)
        client.close()
        window.cycle()
        window.file()
        window.close()
        told: dict[str, object] = {}

        keyring.delete_password(key.service, key.account)
        told["deleted"] = _opened(settings, key)
        told["after deletion"] = upkeep.recover(_code(hall, device.id)).state.unsent

        keyring.set_password(key.service, key.account, "ab" * 32)
        told["changed"] = _opened(settings, key)
        told["after change"] = upkeep.recover(_code(hall, device.id)).state.unsent

        window.token = tokens.load(device.id) or ""
        window.store = SqlStore.open(settings.folder / "cache", key)
        window.wire()
        window.cycle()
        told["registered"] = len(hall.rows("SELECT number FROM registered_case"))
        window.close()
    print(json.dumps(told))


def _opened(settings: Settings, key: KeyringKey) -> str:
    try:
        SqlStore.open(settings.folder / "cache", key).close()
    except Failure as failure:
        return failure.code
    return "open"


def _code(hall: Hall, device: str) -> str:
    return hall.server.office.write(lambda tx: devices.new_recovery_code(tx, device))[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
