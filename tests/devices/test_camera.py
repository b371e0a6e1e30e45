"""The camera's process and what the window hears of it. No camera is needed."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage

from clerk_app.desk.ports import CameraEvent, CameraFrame, CameraLost, CameraPhoto
from clerk_app.devices.scanner import camera_process
from clerk_app.devices.scanner.camera import ProcessCamera, _next

PUPPET = str(Path(__file__).with_name("camera_puppet.py"))


def puppet(folder: Path, way: str) -> ProcessCamera:
    picture = folder / "picture"
    picture.write_bytes(b"\xff\xd8\xff picture")
    return ProcessCamera("Sample", command=(sys.executable, PUPPET, str(picture), way))


def opened(camera: ProcessCamera) -> SimpleQueue[CameraEvent]:
    events: SimpleQueue[CameraEvent] = SimpleQueue()
    camera.open(events.put)
    return events


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def quiet() -> bool:
    return all(thread.name != "camera" for thread in threading.enumerate())


def test_frames_come_and_a_photo_when_asked(tmp_path: Path) -> None:
    camera = puppet(tmp_path, "sees")
    events = opened(camera)
    assert events.get(timeout=10) == CameraFrame(b"\xff\xd8\xff picture")
    camera.take()
    assert events.get(timeout=10) == CameraPhoto(b"\xff\xd8\xff picture")
    camera.close()
    until(quiet)
    camera.take()  # nobody is there any more
    assert not any(isinstance(events.get(), CameraLost) for _ in range(events.qsize())), "closed, not lost"


@pytest.mark.parametrize(("way", "code"), [("none", ""), ("dies", "SCAN-CAMERA"), ("babbles", "SCAN-CAMERA")])
def test_a_camera_that_is_not_there_or_goes_away_is_told_once(tmp_path: Path, way: str, code: str) -> None:
    events = opened(puppet(tmp_path, way))
    while not isinstance(event := events.get(timeout=10), CameraLost):
        pass
    assert event.code == code
    until(quiet)
    assert events.empty()


def test_a_camera_that_hangs_is_closed_at_once(tmp_path: Path) -> None:
    camera = puppet(tmp_path, "deaf")
    events = opened(camera)
    began = time.monotonic()
    camera.close()
    assert time.monotonic() - began < 0.1
    until(quiet)
    assert events.empty()


def test_a_camera_that_takes_no_order_any_more_is_closed_without_a_word(tmp_path: Path) -> None:
    camera = puppet(tmp_path, "closes")
    events = opened(camera)
    assert isinstance(events.get(timeout=10), CameraFrame)
    camera.take()
    camera.close()
    until(quiet)
    assert events.empty()


def test_a_process_that_cannot_be_started_is_a_lost_camera() -> None:
    event = opened(ProcessCamera(command=("/no/such/program",))).get(timeout=5)
    assert isinstance(event, CameraLost)
    assert event.code == "SCAN-CAMERA"


def test_this_computer_is_asked_for_a_camera_by_the_real_process() -> None:
    """Whatever it has: without any, or without the one of that name, it says so and ends."""
    event = opened(ProcessCamera("no camera has such a name")).get(timeout=30)
    assert isinstance(event, CameraLost)
    assert event.code == "SCAN-CAMERA"
    until(quiet)


def test_pictures_are_sent_small_and_slowly_and_in_full_when_asked(
    qapp: QCoreApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_process, "FRAME_SECONDS", 1000)
    out = BytesIO()
    sender = camera_process.Sender(out)
    picture = QImage(4000, 3000, QImage.Format.Format_RGB32)
    picture.fill(0xFFFFFF)
    sender.show(picture)
    sender.read(BytesIO(b"take\n"))
    QCoreApplication.processEvents()
    sender.show(picture)  # too soon for a frame
    sender.show(QImage())
    out.seek(0)
    frame, photo, end = _next(out), _next(out), _next(out)
    assert isinstance(frame, CameraFrame)
    assert QImage.fromData(frame.content).width() == 800
    assert isinstance(photo, CameraPhoto)
    assert QImage.fromData(photo.content).width() == 4000
    assert end is None
