"""The voice against a real speech service and a real sound service, and against a process that misbehaves."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import voice_services
from voice_services import loudest

from clerk_app.desk.ports import VoiceState, VoiceStatus
from clerk_app.devices.voice.speaking import SpeakingVoice
from clerk_app.devices.voice.voice import NoVoice, voice_from_settings
from clerk_app.settings import VoiceSettings

PUPPET = str(Path(__file__).with_name("voice_puppet.py"))
real = pytest.mark.skipif(
    bool(voice_services.MISSING), reason=f"not installed: {', '.join(voice_services.MISSING)}"
)


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@contextmanager
def speaking(voice: SpeakingVoice) -> Iterator[SpeakingVoice]:
    voice.start()
    try:
        yield voice
    finally:
        began = time.monotonic()
        voice.stop()
        assert time.monotonic() - began < 1.0
        assert not voice._thread.is_alive()
        until(lambda: all(thread.name != "voice-ear" for thread in threading.enumerate()), 2)


def opened(voice: SpeakingVoice) -> VoiceStatus:
    until(lambda: voice.status.state is not VoiceState.STARTING)
    return voice.status


class Puppet:
    """A voice whose process is the puppet; `said` are the tickets it was given, in order."""

    def __init__(self, folder: Path, ways: str, **limits: float) -> None:
        self._log = folder / "log"
        self.now = 100.0
        self.voice = SpeakingVoice(
            VoiceSettings("zh+en"),
            command=(sys.executable, PUPPET, str(self._log), ways),
            monotonic=lambda: self.now,
            **limits,
        )

    @property
    def said(self) -> list[str]:
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        return [json.loads(line)[1][1].split(",")[0] for line in lines if line != "start"]


# --- the real services -------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the services of this test listen; a process of the voice finds them by the environment."""
    monkeypatch.setenv("SPEECHD_ADDRESS", f"unix_socket:{tmp_path}/speech")
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/sound")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@real
def test_a_call_is_a_chime_and_the_ticket_in_both_languages(folder: Path) -> None:
    said = folder / "said.wav"
    with voice_services.speech(folder), voice_services.sound(folder) as heard:
        with speaking(SpeakingVoice(VoiceSettings("zh"))) as voice:
            assert opened(voice) == VoiceStatus(VoiceState.READY)
            voice.call("A037", "12")
            until(lambda: said.exists() and said.stat().st_size > 20_000)
            chinese = said.stat().st_size
        assert loudest(heard.read_bytes()) > 3000, "no chime"
        assert loudest(said.read_bytes()[44:]) > 3000, "no voice"
        with speaking(SpeakingVoice(VoiceSettings("zh+en", rate=150, volume=60))) as voice:
            assert opened(voice) == VoiceStatus(VoiceState.READY)
            voice.call("A037", "12")
            until(lambda: said.stat().st_size > chinese + 100_000)


@real
def test_without_speech_there_is_the_chime(folder: Path) -> None:
    with voice_services.sound(folder) as heard, speaking(SpeakingVoice(VoiceSettings("zh"))) as voice:
        assert opened(voice) == VoiceStatus(VoiceState.CHIME, "VOICE-NO-ENGINE", "zh")
        voice.call("A037", "12")
        until(lambda: loudest(heard.read_bytes()) > 3000)


def test_without_speech_and_sound_the_voice_is_silent_and_says_so(folder: Path) -> None:
    with speaking(SpeakingVoice(VoiceSettings("zh"))) as voice:
        status = opened(voice)
        assert (status.state, status.code) == (VoiceState.SILENT, "VOICE-SILENT")


@real
def test_a_speech_service_that_died_is_found_again_at_the_next_call(folder: Path) -> None:
    said = folder / "said.wav"
    with speaking(SpeakingVoice(VoiceSettings("en"))) as voice:
        with voice_services.speech(folder):
            until(lambda: voice.status.state is not VoiceState.STARTING)
            voice.call("A037", "12")
            until(lambda: said.exists() and said.stat().st_size > 20_000)
        voice.call("A038", "12")
        until(lambda: voice.status.state is not VoiceState.READY)
        before = said.stat().st_size
        for left in ("conf/modules/espeak-ng.conf", "conf/speechd.conf", "conf/modules", "conf"):
            path = folder / left
            path.rmdir() if path.is_dir() else path.unlink()
        with voice_services.speech(folder):
            voice.call("A039", "12")
            until(lambda: said.stat().st_size not in (0, before))
            until(lambda: voice.status.state is VoiceState.READY)


def test_a_speech_service_that_hangs_holds_nothing_back(folder: Path) -> None:
    """Neither a call, nor another thread of the program, nor the end of it."""
    with voice_services.hung(folder):
        voice = SpeakingVoice(VoiceSettings("zh"), open_seconds=1.5)
        with speaking(voice):
            taken = []
            for _ in range(100):
                began = time.perf_counter()
                voice.call("A037", "12")
                taken.append(time.perf_counter() - began)
            assert sorted(taken)[50] < 0.001
            until(lambda: voice.status.code == "VOICE-STOPPED", 5)  # this thread ran all the while


# --- a process that misbehaves -----------------------------------------------------------------------------


def test_calls_are_spoken_in_their_order_and_a_recall_once_more(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path, "ready")
    for ticket in ("A037", "A037", "A038"):
        puppet.voice.call(ticket, "12")  # before the engine is open
    with speaking(puppet.voice):
        until(lambda: len(puppet.said) == 3)
        assert puppet.said == ["Ticket A 0 3 7", "Ticket A 0 3 7", "Ticket A 0 3 8"]
        assert puppet.voice.status == VoiceStatus(VoiceState.READY)


def test_what_is_older_than_twenty_seconds_is_not_spoken(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path, "ready")
    puppet.voice.call("A037", "12")
    puppet.now += 20.5
    puppet.voice.call("A038", "12")
    with speaking(puppet.voice):
        until(lambda: puppet.said)
        assert puppet.said == ["Ticket A 0 3 8"]


def test_an_engine_that_never_opens_is_tried_again_at_the_next_call(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path, "deaf,ready", open_seconds=0.5)
    with speaking(puppet.voice):
        until(lambda: puppet.voice.status.code == "VOICE-STOPPED")
        puppet.voice.call("A037", "12")
        until(lambda: puppet.said)
        assert puppet.voice.status == VoiceStatus(VoiceState.READY)


@pytest.mark.parametrize("way", ["mute", "dies", "lost"])
def test_an_engine_that_stops_in_a_call_speaks_the_next_one(tmp_path: Path, way: str) -> None:
    puppet = Puppet(tmp_path, f"{way},ready", say_seconds=0.5)
    with speaking(puppet.voice):
        puppet.voice.call("A037", "12")
        until(lambda: puppet.voice.status.code == "VOICE-STOPPED")
        puppet.voice.call("A038", "12")
        until(lambda: len(puppet.said) == 2)
        until(lambda: puppet.voice.status == VoiceStatus(VoiceState.READY))


def test_an_engine_that_ends_between_two_calls_is_started_again_for_the_next(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path, "idle,ready")
    with speaking(puppet.voice):
        opened(puppet.voice)
        speaker = puppet.voice._speaker
        assert speaker is not None
        speaker.process.wait(10)
        puppet.voice.call("A037", "12")
        until(lambda: puppet.said == ["Ticket A 0 3 7"])


def test_an_engine_that_takes_no_call_any_more_does_not_end_the_voice(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path, "closes,ready")
    with speaking(puppet.voice):
        opened(puppet.voice)
        for ticket in ("A037", "A038", "A039"):  # its pipe may still take the first
            puppet.voice.call(ticket, "12")
        until(lambda: puppet.said)


def test_what_a_library_prints_into_the_answers_is_passed_over(tmp_path: Path) -> None:
    puppet = Puppet(tmp_path, "talks")
    with speaking(puppet.voice):
        assert opened(puppet.voice) == VoiceStatus(VoiceState.READY)
        puppet.voice.call("A037", "12")
        until(lambda: puppet.said)


@pytest.mark.parametrize("way", ["deaf", "mute"])
def test_stopping_takes_no_second_in_the_middle_of_anything(tmp_path: Path, way: str) -> None:
    puppet = Puppet(tmp_path, way)
    with speaking(puppet.voice):  # its end holds the time and the threads
        puppet.voice.call("A037", "12")
        until(lambda: (tmp_path / "log").exists() and (way == "deaf" or puppet.said))


def test_a_voice_that_was_never_started_stops(tmp_path: Path) -> None:
    Puppet(tmp_path, "ready").voice.stop()
    assert not (tmp_path / "log").exists()


def test_a_process_that_cannot_be_started_is_silence() -> None:
    with speaking(SpeakingVoice(VoiceSettings("zh"), command=("/no/such/program",))) as voice:
        assert opened(voice).code == "VOICE-STOPPED"
        voice.call("A037", "12")


def test_the_settings_choose_the_voice() -> None:
    assert isinstance(voice_from_settings(VoiceSettings()), NoVoice)
    assert isinstance(voice_from_settings(VoiceSettings("zh+en")), SpeakingVoice)
    assert NoVoice().status.state is VoiceState.OFF
