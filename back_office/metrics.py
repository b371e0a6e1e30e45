"""`GET /metrics` for Prometheus: what the office does and how it stands, never for whom.

No label holds an id, a name or anything a visitor typed. With several workers each process counts into files
of its own in one folder (`PROMETHEUS_MULTIPROC_DIR`, set by `serving` before a worker starts) and whichever
worker is asked adds them up; what the database knows is asked of it at that moment.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, exposition
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from back_office.problems import Refused
from back_office.tables import audit_chain, command, device, hall, upload
from clerk_app import __version__

if TYPE_CHECKING:
    from back_office.office import Office

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
SEEN = timedelta(minutes=5)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

router = APIRouter()


class Metrics:
    """The counters of one office in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "back_office_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "back_office_request_seconds",
            "Time to the end of the answer",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._commands = Counter(
            "back_office_commands", "Commands of windows answered", ("status",), registry=self.registry
        )
        self._events = Counter(
            "back_office_events", "What should be rare", ("event",), registry=self.registry
        )
        self._pokes = Counter("back_office_pokes", "Waiting windows woken", registry=self.registry)
        self._parked = Gauge(
            "back_office_parked_waits",
            "Windows waiting for news",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered; `route` is the template of its path."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count(self, counts: Mapping[tuple[str, str], int]) -> None:
        """What a transaction counted, after its commit."""
        for (family, value), number in counts.items():
            counter = self._commands if family == "command" else self._events
            counter.labels(value).inc(number)

    def parked(self, change: int) -> None:
        self._parked.inc(change)

    def poked(self, number: int) -> None:
        self._pokes.inc(number)


class Standing(Collector):
    """What the database says at this moment."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def collect(self) -> Iterator[Metric]:
        now = self._office.settings.clock()
        kind = self._office.database.kind
        yield _gauge("back_office_info", "This office", 1, {"version": __version__, "database": kind})
        facts = self._office.read(lambda connection: standing(connection, now))
        for name, (text, value) in facts.items():
            yield _gauge(f"back_office_{name}", text, value)


def standing(connection: sa.Connection, now: datetime) -> dict[str, tuple[str, float]]:
    """Name, text and value of what is counted in the tables."""

    def number(table: sa.Table, where: sa.ColumnElement[bool]) -> int:
        return connection.scalar(sa.select(sa.func.count()).select_from(table).where(where)) or 0

    held = command.c.status == "held"
    oldest = connection.scalar(sa.select(sa.func.min(command.c.answered_at)).where(held))
    age = 0.0 if oldest is None else (now - oldest).total_seconds()
    live = device.c.revoked_at.is_(None)
    practising = sa.select(device.c.id).join(hall, hall.c.code == device.c.hall).where(hall.c.practice)
    return {
        "commands_owed": ("Commands whose answer the office owes", number(command, held)),
        "commands_owed_oldest_seconds": ("Age of the oldest of them", age),
        "devices": ("Workstations enrolled and not revoked", number(device, live)),
        "devices_seen": (
            "Of these, heard of within five minutes",
            number(device, live & (device.c.seen_at > now - SEEN)),
        ),
        "audit_chains_broken": (
            "Audit chains that do not hold, those of halls for practice not counted",
            number(audit_chain, audit_chain.c.broken.is_not(None) & audit_chain.c.device.not_in(practising)),
        ),
        "uploads_unfinished": (
            "Pages that have begun and not ended",
            number(upload, upload.c.completed_at.is_(None)),
        ),
    }


def _gauge(name: str, text: str, value: float, labels: Mapping[str, str] | None = None) -> Metric:
    told = labels or {}
    family = GaugeMetricFamily(name, text, labels=list(told))
    family.add_metric(list(told.values()), value)
    return family


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """The text format of Prometheus. Raises Refused 403 for who may not see it."""
    office: Office = request.app.state.office
    if not _may_see(request, office.settings.metrics_token):
        raise Refused("OFFICE-METRICS", status=403)
    registry = office.metrics.registry
    if FOLDER_VARIABLE in os.environ:
        registry = CollectorRegistry()
        _forget_the_dead(Path(os.environ[FOLDER_VARIABLE]))
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    parts = [exposition.generate_latest(registry)]
    mine = CollectorRegistry()
    mine.register(Standing(office))
    parts.append(exposition.generate_latest(mine))
    return Response(b"".join(parts), media_type=exposition.CONTENT_TYPE_PLAIN_0_0_4)


def _may_see(request: Request, token: str) -> bool:
    """The token, or this machine itself; what a proxy of this machine forwards is somebody else's."""
    told = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and secrets.compare_digest(told.encode(), token.encode()):
        return True
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & set(request.headers)
    if forwarded or request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _forget_the_dead(folder: Path) -> None:
    """What a worker that ended had parked is parked no more."""
    for file in folder.glob("gauge_live*_*.db"):
        try:
            os.kill(int(file.stem.rsplit("_", 1)[1]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except (PermissionError, ValueError):
            continue
