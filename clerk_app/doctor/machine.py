"""The computer itself: room on its disk, fonts for rare characters, a camera, a voice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from clerk_app.desk.ports import Check, Level, VoiceState, VoiceStatus
from clerk_app.doctor.rounds import Look, Tell

DISK, FONTS, VOICE, CAMERA = "disk", "fonts", "voice", "camera"

LEAST_FREE, LITTLE_FREE = 200_000_000, 1_000_000_000
"""Bytes. The cache of a busy year and the next catalogue, twice, fit into the second."""
SAMPLE = "国〇㐱䶮𠮷"
"""One everyday character, then rare ones of names, out of four blocks of Unicode."""

_SECONDS = 8.0
_VOICE_SECONDS = 10.0


def disk_look(folder: Path) -> Look:
    def look(tell: Tell) -> None:
        place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(place).free
        megabytes = free // 1_000_000
        values, detail = (("megabytes", megabytes),), f"{megabytes} MB free in {place}"
        if free < LEAST_FREE:
            tell(Check(DISK, Level.FAIL, "STORE-FULL", values=values, detail=detail))
        elif free < LITTLE_FREE:
            tell(Check(DISK, Level.WARN, "DOCTOR-DISK-LOW", values=values, detail=detail))
        else:
            tell(Check(DISK, values=values))

    return Look((DISK,), _SECONDS, look)


def fonts_look(names: Callable[[], tuple[str, ...]], draws: Callable[[str], bool]) -> Look:
    """`names` are the fonts of the printer's chain that this machine has, `draws` asks for a character."""

    def look(tell: Tell) -> None:
        found = ", ".join(dict.fromkeys(names()))
        lacking = [character for character in SAMPLE if not draws(character)]
        if not lacking:
            tell(Check(FONTS, values=(("fonts", found), ("sample", SAMPLE[1:]))))
            return
        told = " ".join(f"U+{ord(character):04X}" for character in lacking)
        level = Level.FAIL if SAMPLE[0] in lacking else Level.WARN
        detail = f"cannot be drawn: {told}; fonts: {found or 'none'}"
        tell(Check(FONTS, level, "DOCTOR-FONTS", values=(("lacking", told),), detail=detail))

    return Look((FONTS,), _SECONDS, look)


def voice_look(status: Callable[[], VoiceStatus]) -> Look:
    def look(tell: Tell) -> None:
        now = status()
        if now.code or now.state is VoiceState.SILENT:
            tell(Check(VOICE, Level.WARN, now.code or "DOCTOR-NO-ANSWER", detail=now.detail))
        elif now.state is VoiceState.STARTING:
            tell(Check(VOICE, Level.WARN, "DOCTOR-NO-ANSWER", detail="still starting"))
        else:
            tell(Check(VOICE, said="off" if now.state is VoiceState.OFF else "", detail=now.detail))

    return Look((VOICE,), _VOICE_SECONDS, look)


def camera_look(wanted: str, cameras: Callable[[], tuple[str, ...]]) -> Look:
    """`wanted` is part of the name the settings ask for; without one, a machine without a camera is well."""

    def look(tell: Tell) -> None:
        found = cameras()
        if wanted and not any(wanted in name for name in found):
            detail = f"wanted: {wanted}; there: {', '.join(found) or 'none'}"
            tell(Check(CAMERA, Level.WARN, "DOCTOR-CAMERA", detail=detail))
        else:
            tell(Check(CAMERA, said="" if found else "none", values=(("cameras", ", ".join(found)),)))

    return Look((CAMERA,), _SECONDS, look)


_LIST = """
import json
from PySide6.QtGui import QGuiApplication
from PySide6.QtMultimedia import QMediaDevices
app = QGuiApplication([])
print(json.dumps([camera.description() for camera in QMediaDevices.videoInputs()]))
"""


def cameras() -> tuple[str, ...]:
    """The cameras Qt sees. Asked in a process of its own: its back ends take a second and may hang."""
    quiet = os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "*=false"}
    asked = subprocess.run(  # noqa: S603 - our own interpreter and our own lines
        [sys.executable, "-c", _LIST],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_SECONDS - 1,
        check=True,
        env=quiet,
    )
    return tuple(json.loads(asked.stdout.splitlines()[-1]))
