"""Which readers a workstation has: each `[[reader]]` of its settings, made by the driver it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clerk_app.desk.ports import CardReader
from clerk_app.failures import Failure


def reader_from_settings(tables: Sequence[Mapping[str, Any]]) -> CardReader:
    """The reader of this workstation; PC/SC when the settings name none.

    Failure SETTINGS-INVALID names the table and the key.
    """
    from clerk_app.devices.card.monitor import PcscReader  # needs the PC/SC library
    from clerk_app.devices.card.pseudo_apdu import table_from_settings

    if len(tables) > 1:
        raise Failure("SETTINGS-INVALID", "only one reader")
    told = dict(tables[0]) if tables else {}
    if told.pop("driver", "pcsc") != "pcsc":
        raise Failure("SETTINGS-INVALID", "reader.driver")
    return PcscReader(table_from_settings(told))
