"""Which readers a workstation has: each `[[reader]]` of its settings, made by the driver it names.

`pcsc` (the usual one) and `sdt` are ours. Any other name is that of an installed driver: an entry point of
the group `clerk_app.card_readers`, see `vendor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clerk_app.desk.ports import CardReader
from clerk_app.devices.card.combined import CombinedReader
from clerk_app.devices.card.vendor import VendorReader
from clerk_app.failures import Failure

PCSC, SDT = "pcsc", "sdt"


def reader_from_settings(tables: Sequence[Mapping[str, Any]]) -> CardReader:
    """The reader of this workstation; PC/SC when the settings name none. Several become one.

    Failure SETTINGS-INVALID names the key. A driver that is not installed or does not work is no failure
    here: the window opens, and its reader reports CARD-DRIVER.
    """
    pcsc = [table for table in tables if table.get("driver", PCSC) == PCSC]
    if len(pcsc) > 1 and not all(table.get("readers") for table in pcsc):
        raise Failure("SETTINGS-INVALID", "reader.readers must tell the PC/SC readers apart")
    readers = [_reader(table) for table in tables or ({},)]
    return readers[0] if len(readers) == 1 else CombinedReader(readers)


def _reader(table: Mapping[str, Any]) -> CardReader:
    told = dict(table)
    driver = told.pop("driver", PCSC)
    if not isinstance(driver, str) or not driver:
        raise Failure("SETTINGS-INVALID", "reader.driver must be the name of a driver")
    if driver == PCSC:
        return _pcsc_reader(told)
    if driver == SDT:
        from clerk_app.devices.card.sdt.reader import sdt_reader  # needs the serial library

        return sdt_reader(told)
    return VendorReader(driver, told)


def _pcsc_reader(told: dict[str, Any]) -> CardReader:
    """`readers` is a part of the name of those to watch; the rest is of `pseudo_apdu.table_from_settings`."""
    from clerk_app.devices.card.choice import CardDriver
    from clerk_app.devices.card.monitor import PcscReader  # needs the PC/SC library
    from clerk_app.devices.card.pseudo_apdu import IdentityCard, table_from_settings
    from clerk_app.devices.card.social_security import SocialSecurityCard

    only, social_security = told.pop("readers", ""), told.pop("social_security", True)
    if not isinstance(only, str):
        raise Failure("SETTINGS-INVALID", "reader.readers must be a part of the reader's name")
    if not isinstance(social_security, bool):
        raise Failure("SETTINGS-INVALID", "reader.social_security must be true or false")
    drivers: list[CardDriver] = [IdentityCard(table_from_settings(told))]
    if social_security:
        drivers.append(SocialSecurityCard())
    return PcscReader(drivers, only=only)
