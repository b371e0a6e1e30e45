"""A whole hall on one machine: real office, real store and sync, simulated reader, printer and camera.

Everything lives in a folder that is thrown away, under a key that nobody keeps: practice never touches the
user's keyring or a real cache. Only the devices, the citizens and the network cable are played.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from back_office import catalogue
from back_office.embedded import HallSetup, UserSetup, prepare
from clerk_app.bootstrap import enrol_with, open_workstation
from clerk_app.desk.ports import Voice, VoiceStatus
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.card.simulator import SimulatedReader
from clerk_app.devices.printer.printer import printer_from_settings
from clerk_app.devices.printer.simulator.paper import Paper
from clerk_app.devices.printer.simulator.printer import SimulatedPrinter
from clerk_app.devices.voice.announcement import announcement
from clerk_app.devices.voice.voice import voice_from_settings
from clerk_app.lanes import Lane
from clerk_app.settings import PrinterSettings, Settings, VoiceSettings, WindowSettings
from clerk_app.store.vault import KeySource, throw_away_key
from clerk_app.workstation import Parts, Workstation
from practice import photos
from practice.camera import PracticeCamera
from practice.network import Cable
from practice.office import PracticeOffice

HALL = HallSetup(
    code="LX01",
    name="绵阳市政务服务中心（练习）",
    name_en="Mianyang Government Service Centre (practice)",
    region="510700",
    practice=True,
)
CLERK = UserSetup(staff_no="1024", name="王芳", name_en="Wang Fang", password="practice")  # noqa: S106
CHIEF = UserSetup(staff_no="1001", name="陈立", name_en="Chen Li", password="practice")  # noqa: S106
"""A colleague: takes over a locked window, approves a void without the office."""
WINDOW = "12"
QUEUE = "A"
LOST_CARD = "resident-lost"
"""The sample card that is on the office's list of lost cards."""
FIRST_TICKETS = ("A", "A", "Y", "A", "P", "A")


class TokensInMemory:
    """The device token of a practice window: gone with the process."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def save(self, device_id: str, token: str) -> None:
        self._tokens[device_id] = token

    def load(self, device_id: str) -> str | None:
        return self._tokens.get(device_id)

    def forget(self, device_id: str) -> None:
        self._tokens.pop(device_id, None)


class ToldVoice:
    """A voice that also tells `listener` what it says, for a machine without a loudspeaker."""

    def __init__(self, voice: Voice, listener: Callable[[str], None]) -> None:
        self._voice = voice
        self._listener = listener

    @property
    def status(self) -> VoiceStatus:
        return self._voice.status

    def start(self) -> None:
        self._voice.start()

    def call(self, ticket_number: str, window: str) -> None:
        self._voice.call(ticket_number, window)
        for language in ("zh", "en"):
            self._listener(announcement(ticket_number, window, language))

    def stop(self) -> None:
        self._voice.stop()


class PracticeHall:
    """One practice hall between `__enter__` and `__exit__`; `say` gets a line on each longer step.

    Without a `key` the window's cache is under one that nobody keeps. Of `printer` the slips take what is not
    the practice printer's own: language, copies, templates, logo.
    """

    def __init__(
        self,
        folder: Path,
        say: Callable[[str], None],
        window: WindowSettings | None = None,
        key: KeySource | None = None,
        voice: VoiceSettings | None = None,
        printer: PrinterSettings | None = None,
    ) -> None:
        self._folder = folder
        self._say = say
        self._window = window or WindowSettings()
        self.reader = SimulatedReader(photos.with_photos(sample_cards()), seconds=0.2)
        self.on_paper: Callable[[Paper], None] | None = None
        self.on_said: Callable[[str], None] | None = None
        self._voice = voice or VoiceSettings()
        self._printer = printer or PrinterSettings()
        self.printer = SimulatedPrinter(listener=self._paper_came)
        self.camera = PracticeCamera()
        self.errands = Lane("errands")
        """For what a player does to the devices and the office: no window waits for them."""
        self._key = key or throw_away_key()
        self._tokens = TokensInMemory()

    def __enter__(self) -> PracticeHall:
        self.office = PracticeOffice(prepared_office(self._say), self._folder / "office", HALL.code)
        address = urlsplit(self.office.url)
        self.cable = Cable(str(address.hostname), int(address.port or 80))
        self.printer.start()
        self.office.report_lost(self.reader.cards[LOST_CARD].record)
        for series in FIRST_TICKETS:
            self.office.take_ticket(series)
        self._settings = Settings(
            self._folder / "window",
            office_url=self.cable.url,
            printer=replace(self._printer, url=self.printer.url),
            voice=self._voice,
            window=self._window,
            lock_minutes=60,  # whoever practises reads along meanwhile
        )
        enrol_with(self._settings, self.office.code(WINDOW, QUEUE), self._key, self._tokens)
        self.errands.submit(self.office.back_up).add_done_callback(Future.result)
        self.workstation = self.open_window()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.errands.close()
        self.workstation.close()
        self.cable.close()
        self.printer.stop()
        self.office.close()

    def open_window(self) -> Workstation:
        """The workstation on the practice cache, with the practice devices."""
        parts = Parts(
            key=self._key,
            tokens=self._tokens,
            reader=self.reader,
            printer=printer_from_settings(self._settings.printer),
            voice=ToldVoice(voice_from_settings(self._settings.voice), self._say_aloud),
            camera=self.camera,
            decode_photo=photos.drawn,
        )
        return open_workstation(self._settings, parts)

    def shut_out(self) -> None:
        """IT takes back the enrolment of the window of this hall, for good."""
        self.office.shut_out(self.workstation.desk.device.id)

    def _say_aloud(self, said: str) -> None:
        if self.on_said is not None:
            self.on_said(said)

    def _paper_came(self, paper: Paper) -> None:
        if self.on_paper is not None:
            self.on_paper(paper)


def prepared_office(say: Callable[[str], None], cache: Path | None = None) -> Path:
    """The folder of an office with the whole sample catalogue in force, made once and kept in the cache."""
    cache = cache or user_cache_path("clerk-app", appauthor=False)
    folder = cache / f"practice-office-{_digest()}"
    if folder.exists():
        return folder
    from practice import sample_catalogue

    say("Building the sample catalogue of 66,774 items (once)")
    kinds = sample_catalogue.kinds()
    items = tuple(sample_catalogue.implementations())
    # Under a name of its own until it is whole: two programs may be making it at the same time.
    making = Path(tempfile.mkdtemp(prefix="making-", dir=_made(cache)))
    office = prepare(making, HALL, [CLERK, CHIEF])
    try:
        catalogue.put_in_force(office, kinds, items)
    finally:
        office.close()
    for older in cache.glob("practice-office-*"):
        if older != folder:
            shutil.rmtree(older, ignore_errors=True)
    try:
        making.rename(folder)
    except OSError:  # somebody else was first, with the same content
        shutil.rmtree(making)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest() -> str:
    """Of everything the prepared office is made from: new code or content, new office."""
    digest = hashlib.sha256()
    roots = (
        resources.files("resources") / "sample" / "kinds",
        resources.files("resources") / "sample" / "bodies.toml",
        resources.files("clerk_app") / "catalogue",
        resources.files("practice"),
        resources.files("back_office"),
    )
    for root in roots:
        path = Path(str(root))
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.suffix in (".py", ".toml"):
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
