"""Qt's speech and sound, in the process of the voice: a chime, then the call in each language."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QLocale, QObject, QTimer, Signal
from PySide6.QtMultimedia import QAudio, QAudioFormat, QAudioSink, QMediaDevices
from PySide6.QtTextToSpeech import QTextToSpeech, QVoice

from clerk_app.desk.ports import VoiceState, VoiceStatus
from clerk_app.devices.voice.chime import chime

_CHIME_MS = 2500
"""The chime takes half of it; a sound service that does not say it has played holds no call up for longer."""

_MANDARIN = ("pinyin", "mandarin", "普通话")
"""Parts of the names of Mandarin voices, the best first. The speech service calls the language cmn, which Qt
does not know and files under the C locale. Of eSpeak NG's two voices only the one that reads Latin letters as
pinyin says Chinese: 1.51 reads its own pinyin by English rules in the other."""
_ENGLISH = ("america", "great britain", "united")
_CANTONESE_PLACES = (QLocale.Country.HongKong, QLocale.Country.Macao)


class Speaker(QObject):
    """Speaks one call at a time. Signals: spoken(why the engine went away, or "")."""

    spoken = Signal(str)

    def __init__(self, languages: tuple[str, ...], rate: int, volume: int) -> None:
        super().__init__()
        self._languages = languages
        self._parts: deque[tuple[str, str]] = deque()
        self._speaking = False
        self._engine = _open()
        self._voices: dict[str, QVoice] = {}
        if self._engine is not None:
            found = {language: voice_of(self._engine, language) for language in languages}
            self._voices = {language: voice for language, voice in found.items() if voice is not None}
            self._engine.setRate(math.log2(rate / 100))  # Qt's -1 is half the speed, 1 is twice
            self._engine.setVolume(volume / 100)
            self._engine.stateChanged.connect(self._engine_changed)
        self._chime = _Chime(volume / 100, self._say_next)

    def status(self) -> VoiceStatus:
        """What this computer can do of what the settings want."""
        missing = "+".join(language for language in self._languages if language not in self._voices)
        if self._voices:
            return VoiceStatus(VoiceState.READY, "VOICE-NO-LANGUAGE" if missing else "", missing)
        code = "VOICE-NO-ENGINE" if self._engine is None else "VOICE-NO-LANGUAGE"
        if self._chime.sounds:
            return VoiceStatus(VoiceState.CHIME, code, missing)
        return VoiceStatus(VoiceState.SILENT, "VOICE-SILENT", code)

    def speak(self, parts: Sequence[tuple[str, str]]) -> None:
        """Chime, then say each (language, sentence) there is a voice for."""
        self._parts = deque((language, said) for language, said in parts if language in self._voices)
        self._chime.play()

    def _say_next(self) -> None:
        if not self._parts or self._engine is None:
            self.spoken.emit("")
            return
        language, said = self._parts.popleft()
        voice = self._voices[language]
        self._engine.setLocale(voice.locale())
        self._engine.setVoice(voice)
        self._speaking = False
        self._engine.say(said)

    def _engine_changed(self, state: QTextToSpeech.State) -> None:
        if state is QTextToSpeech.State.Speaking:
            self._speaking = True
        elif state is QTextToSpeech.State.Error:
            reason = self._engine.errorString() if self._engine is not None else ""
            self._parts.clear()
            self.spoken.emit(reason or "the speech service has gone")
        elif state is QTextToSpeech.State.Ready and self._speaking:
            self._speaking = False
            QTimer.singleShot(0, self._say_next)  # the engine is still inside its own call


def _open() -> QTextToSpeech | None:
    """The computer's usual engine; None without one that works."""
    usual = [engine for engine in QTextToSpeech.availableEngines() if engine != "mock"]
    if not usual:
        return None
    engine = QTextToSpeech(usual[0])
    return None if engine.state() is QTextToSpeech.State.Error else engine


def voice_of(engine: QTextToSpeech, language: str) -> QVoice | None:
    """The engine's best voice for "zh" (Mandarin, never Cantonese) or "en"."""
    wanted, names = (
        (QLocale.Language.Chinese, _MANDARIN) if language == "zh" else (QLocale.Language.English, _ENGLISH)
    )
    voices: list[QVoice] = []
    for locale in engine.availableLocales():
        unknown = locale.language() is QLocale.Language.C and language == "zh"
        if unknown or (locale.language() is wanted and locale.territory() not in _CANTONESE_PLACES):
            engine.setLocale(locale)
            here = engine.availableVoices()
            voices += [voice for voice in here if _rank(voice, names) < len(names)] if unknown else here
    return min(voices, key=lambda voice: _rank(voice, names), default=None)


def _rank(voice: QVoice, names: tuple[str, ...]) -> float:
    """Lower is better. A name with a plus is the same voice with another timbre."""
    name = voice.name().lower()
    place = next((place for place, part in enumerate(names) if part in name), len(names))
    home = voice.locale().territory() in (QLocale.Country.China, QLocale.Country.UnitedStates)
    return place + (0 if home else 0.25) + (0.5 if "+" in name else 0)


class _Chime:
    """The chime on the usual sound output; `done` is called when it has sounded, or at once without one."""

    def __init__(self, volume: float, done: Callable[[], None]) -> None:
        self._sink: QAudioSink | None = None
        self._left = QTimer(singleShot=True)
        self._left.timeout.connect(done)
        device = QMediaDevices.defaultAudioOutput()
        if device.isNull():
            return
        shape = device.preferredFormat()
        shape.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        if not device.isFormatSupported(shape):
            return
        self._samples = QByteArray(chime(shape.sampleRate(), shape.channelCount()))
        self._sink = QAudioSink(device, shape)
        self._sink.setVolume(volume)
        self._sink.stateChanged.connect(self._changed)
        self._played = QBuffer()

    @property
    def sounds(self) -> bool:
        return self._sink is not None

    def play(self) -> None:
        if self._sink is None:
            self._left.start(0)
            return
        self._sink.stop()
        self._played = QBuffer(self._samples)
        self._played.open(QIODevice.OpenModeFlag.ReadOnly)
        self._left.start(_CHIME_MS)
        self._sink.start(self._played)

    def _changed(self, state: QAudio.State) -> None:
        """Idle: all was handed over. Stopped with an error: this chime will not be heard."""
        broken = (
            state is QAudio.State.StoppedState
            and self._sink is not None
            and (self._sink.error() is not QAudio.Error.NoError)
        )
        if self._left.isActive() and (state is QAudio.State.IdleState or broken):
            self._left.start(0)
