"""What the office has this workstation as: asked at every start, so that IT may move a window or a queue.

A new window or queue is used from the next start on; its keys and its offline series at once by the sync.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from clerk_app.desk.ports import Device, Store
from clerk_app.sync.client import OfficeClient

_log = logging.getLogger(__name__)


def refresh(client: OfficeClient, store: Store, device: Device) -> Device:
    """The device as the office has it, kept in the store when that is news.

    An answer about another device, hall or epoch changes nothing: only an enrolment does. Failures: those of
    `transport`.
    """
    answer = client.device()
    if (answer.device, answer.epoch, answer.hall_code) != (device.id, device.epoch, device.hall_code):
        return device
    fresh = replace(
        device,
        hall_name=answer.hall_name,
        hall_name_en=answer.hall_name_en,
        region=answer.region,
        window=answer.window,
        queue=answer.queue,
        offline_series=answer.offline_series,
        seal_key=answer.seal_key,
        export_key=answer.export_key,
    )
    known = store.read(lambda tx: tx.meta.device())
    if fresh == known:
        return fresh
    store.write(lambda tx: tx.meta.set_device(fresh))
    _log.info("the office changed what it has this workstation as")
    return fresh
