"""The voice that speaks: one lane here, and behind it a process that holds the engine.

The engine lives in a process of its own because Qt opens and drives it inside one call into C++ that does not
let go of the interpreter: opening it stops every thread of the program for more than a second, and a speech
service that hangs would stop the window for good. A process can be ended.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from clerk_app.desk.ports import VoiceState, VoiceStatus
from clerk_app.devices.voice.announcement import announcement
from clerk_app.settings import VoiceSettings

STALE_SECONDS = 20.0
"""A call that could not be spoken for so long is not spoken any more: the citizen came or was recalled."""
OPEN_SECONDS = 15.0
SAY_SECONDS = 25.0
"""How long the engine may take to open, and for one call in two languages with its chime."""

COMMAND = (sys.executable, "-m", "clerk_app.devices.voice.process")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    ticket: str
    window: str
    at: float  # on the monotonic clock


@dataclass(frozen=True, slots=True)
class _Speaker:
    """The process, and what it answers, one object a line; None when it has ended."""

    process: subprocess.Popen[str]
    answers: SimpleQueue[Mapping[str, Any] | None]


class SpeakingVoice:
    """Calls are spoken one after another. `command` starts the process of the voice."""

    def __init__(
        self,
        settings: VoiceSettings,
        *,
        command: Sequence[str] = COMMAND,
        monotonic: Callable[[], float] = time.monotonic,
        open_seconds: float = OPEN_SECONDS,
        say_seconds: float = SAY_SECONDS,
    ) -> None:
        self._settings = settings
        self._command = command
        self._monotonic = monotonic
        self._open_seconds = open_seconds
        self._say_seconds = say_seconds
        self._languages = tuple(settings.mode.split("+"))
        self._status = VoiceStatus(VoiceState.STARTING)
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._speaker: _Speaker | None = None
        self._guard = (
            threading.Lock()
        )  # of `_speaker` and `_stopped` together: `stop` must find every process
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, name="lane-voice", daemon=True)

    @property
    def status(self) -> VoiceStatus:
        return self._status

    def start(self) -> None:
        self._thread.start()

    def call(self, ticket_number: str, window: str) -> None:
        self._calls.put(_Call(ticket_number, window, self._monotonic()))

    def stop(self) -> None:
        with self._guard:
            self._stopped = True
            speaker = self._speaker
        self._calls.put(None)
        if speaker is not None:
            speaker.process.kill()  # in the middle of a word, or hung in its engine
        if self._thread.is_alive():
            self._thread.join(0.9)

    # --- on the lane -----------------------------------------------------------------------------------

    def _serve(self) -> None:
        self._open()
        while not self._stopped and (call := self._calls.get()) is not None:
            if self._monotonic() - call.at > STALE_SECONDS:
                _log.info("a call was not spoken in time")
            elif self._lives() or self._open():
                self._speak(call)
        self._close()

    def _lives(self) -> bool:
        """Whether there is a process that can be spoken to: one may end between two calls."""
        speaker = self._speaker
        if speaker is not None and speaker.process.poll() is not None:
            _log.warning("voice: the engine's process has ended; it is started again")
            self._close()
        return self._speaker is not None

    def _open(self) -> bool:
        """Start the process and learn what it can; whether it will sound. Tried again at the next call."""
        speaker = self._started()
        if speaker is None:
            return False
        told = self._answer(speaker, self._open_seconds)
        if told is None:
            return self._gave_up("opening the engine")
        self._status = VoiceStatus(VoiceState(told["state"]), told["code"], told["detail"])
        if self._status.code:
            _log.warning("voice: %s %s", self._status.code, self._status.detail)
        if self._status.state is VoiceState.SILENT:
            self._close()
            return False
        return True

    def _speak(self, call: _Call) -> None:
        speaker = self._speaker
        assert speaker is not None and speaker.process.stdin is not None
        parts = [(language, announcement(call.ticket, call.window, language)) for language in self._languages]
        try:
            speaker.process.stdin.write(json.dumps(parts) + "\n")
            speaker.process.stdin.flush()
        except OSError:
            self._gave_up("the engine's process has ended")
            return
        told = self._answer(speaker, self._say_seconds)
        if told is None:
            self._gave_up("speaking")
        elif told["lost"]:
            self._gave_up(told["lost"])

    def _gave_up(self, doing: str) -> bool:
        if not self._stopped:
            self._status = VoiceStatus(VoiceState.SILENT, "VOICE-STOPPED", doing)
            _log.warning("voice: VOICE-STOPPED %s", doing)
        self._close()
        return False

    def _started(self) -> _Speaker | None:
        """The new process; None after `stop`."""
        told = {
            "languages": self._languages,
            "rate": self._settings.rate,
            "volume": self._settings.volume,
        }
        with self._guard:
            if self._stopped:
                return None
            try:
                process = subprocess.Popen(  # noqa: S603 (our own module)
                    [*self._command, json.dumps(told)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    encoding="utf-8",
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
            except OSError as error:
                self._status = VoiceStatus(VoiceState.SILENT, "VOICE-STOPPED", str(error))
                return None
            self._speaker = _Speaker(process, SimpleQueue())
        threading.Thread(target=_listen, args=(self._speaker,), name="voice-ear", daemon=True).start()
        return self._speaker

    def _answer(self, speaker: _Speaker, seconds: float) -> Mapping[str, Any] | None:
        """What the process says next, or None when it ended or took too long."""
        try:
            return speaker.answers.get(timeout=seconds)
        except Empty:
            return None

    def _close(self) -> None:
        with self._guard:
            speaker, self._speaker = self._speaker, None
        if speaker is not None:
            speaker.process.kill()
            speaker.process.wait()
            if speaker.process.stdin is not None:
                with contextlib.suppress(OSError):  # an order it did not take is still in the pipe
                    speaker.process.stdin.close()


def _listen(speaker: _Speaker) -> None:
    assert speaker.process.stdout is not None
    with speaker.process.stdout as said:
        for line in said:
            try:
                told = json.loads(line)
            except ValueError:
                continue  # a library of the system prints a line of its own
            if isinstance(told, dict):
                speaker.answers.put(told)
    speaker.answers.put(None)
