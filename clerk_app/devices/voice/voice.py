"""The voice the settings ask for."""

from __future__ import annotations

from clerk_app.desk.ports import Voice, VoiceState, VoiceStatus
from clerk_app.settings import VoiceSettings


class NoVoice:
    """The voice port of a workstation whose settings want none."""

    @property
    def status(self) -> VoiceStatus:
        return VoiceStatus(VoiceState.OFF)

    def start(self) -> None:
        pass

    def call(self, ticket_number: str, window: str) -> None:
        pass

    def stop(self) -> None:
        pass


def voice_from_settings(settings: VoiceSettings) -> Voice:
    """Ready to be started: nothing of Qt's speech or sound is loaded in this process."""
    if settings.mode == "off":
        return NoVoice()
    from clerk_app.devices.voice.speaking import SpeakingVoice

    return SpeakingVoice(settings)
