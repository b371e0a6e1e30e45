"""The speech and the sound service of a hall PC, without a loudspeaker: what they say goes to a file."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = [name for name in ("speech-dispatcher", "espeak-ng", "pulseaudio") if shutil.which(name) is None]

_ALSA = """
pcm.!default {{ type file slave.pcm "nothing" file "{folder}/said.wav" format "wav" }}
pcm.nothing {{ type null }}
ctl.!default {{ type null }}
"""
_SPEECH = """
LogLevel 1
LogDir "{folder}"
AudioOutputMethod "alsa"
AudioALSADevice "default"
AddModule "espeak-ng" "sd_espeak-ng" "espeak-ng.conf"
DefaultModule espeak-ng
DisableAutoSpawn
"""


@contextmanager
def speech(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A speech service of its own at `folder`/speech; what it says is written to `folder`/said.wav."""
    (folder / "conf" / "modules").mkdir(parents=True)
    (folder / "asound.conf").write_text(_ALSA.format(folder=folder))
    (folder / "conf" / "speechd.conf").write_text(_SPEECH.format(folder=folder))
    (folder / "conf" / "modules" / "espeak-ng.conf").write_text("EspeakIndexing 0\n")
    command = ["speech-dispatcher", "-s", "-t", "0", "-C", str(folder / "conf"), "-L", str(folder)]
    command += ["-c", "unix_socket", "-S", str(folder / "speech"), "-P", str(folder / "pid")]
    with _running(command, folder / "speech", {"ALSA_CONFIG_PATH": str(folder / "asound.conf")}) as process:
        yield process


@contextmanager
def sound(folder: Path) -> Iterator[Path]:
    """A sound service with an output that nobody hears; yields a file of what came out (16-bit, mono)."""
    door, heard = folder / "sound", folder / "heard.raw"
    command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
    command += ["-L", "module-null-sink sink_name=hall", "-L", f"module-native-protocol-unix socket={door}"]
    private = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PULSE_RUNTIME_PATH": str(folder / "run")}
    with _running(command, door, private):
        record = ["parec", f"--server=unix:{door}", "-d", "hall.monitor", "--rate=8000", "--channels=1"]
        with heard.open("wb") as file, subprocess.Popen([*record, "--latency-msec=20"], stdout=file) as ear:
            try:
                yield heard
            finally:
                ear.terminate()


@contextmanager
def hung(folder: Path) -> Iterator[None]:
    """A speech service that takes the call and never says a word."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / "speech"))
        door.listen()
        yield


def loudest(pcm: bytes) -> int:
    """The largest swing of 16-bit samples."""
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    return max((abs(sample) for sample in samples), default=0)


@contextmanager
def _running(command: list[str], door: Path, private: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=os.environ | private, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_for(door, process)
            yield process
        finally:
            process.terminate()


def _wait_for(door: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        with socket.socket(socket.AF_UNIX) as knock:
            if knock.connect_ex(str(door)) == 0:
                return
        assert process.poll() is None, "the service ended at once"
        time.sleep(0.02)  # a service tells nobody that it listens
    raise AssertionError("the service does not listen")
