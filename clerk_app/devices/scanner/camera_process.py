"""The process of the camera: `python -m clerk_app.devices.scanner.camera_process NAME`, started by `camera`.

It shows what the camera sees, a small frame at a time, and for each line on its standard input the next
picture in full. It ends when its input does.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import IO, TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter

from clerk_app.devices.heartbeat import end_when_hung
from clerk_app.devices.scanner.camera import FRAME, HEAD, LOST, PHOTO

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QCameraFormat

FRAME_SECONDS = 0.08
FRAME_SIDE = 800  # pixels of the long side
MOST_PIXELS = 13_000_000
"""A page needs pixels, not motion; beyond so many they only cost time."""


class Sender(QObject):
    """Writes what the camera sees to `out`. Signals: asked (the next picture is wanted in full)."""

    asked = Signal()
    ended = Signal()

    def __init__(self, out: IO[bytes]) -> None:
        super().__init__()
        self._out = out
        self._wanted = 0
        self._sent_at = 0.0
        self.asked.connect(self._want, Qt.ConnectionType.QueuedConnection)

    def read(self, orders: IO[bytes]) -> None:
        """Wait for orders, on a thread of its own."""
        for _ in orders:
            self.asked.emit()
        self.ended.emit()

    def show(self, picture: QImage) -> None:
        """The camera's next picture."""
        if picture.isNull():
            return
        for _ in range(self._wanted):
            self._send(PHOTO, _jpeg(picture, 95))
        self._wanted = 0
        if (now := time.monotonic()) - self._sent_at >= FRAME_SECONDS:
            self._sent_at = now
            side = min(FRAME_SIDE, max(picture.width(), picture.height()))
            small = picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
            self._send(FRAME, _jpeg(small, 75))

    def lose(self, code: str, detail: str) -> None:
        self._send(LOST, f"{code}\n{detail}".encode())

    def _want(self) -> None:
        self._wanted += 1

    def _send(self, kind: bytes, content: bytes) -> None:
        self._out.write(HEAD.pack(kind, len(content)) + content)
        self._out.flush()


def _jpeg(picture: QImage, quality: int) -> bytes:
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, b"jpeg")
    writer.setQuality(quality)
    writer.write(picture)
    return bytes(content.data())


def main() -> int:
    """Show what the camera sees until the input ends."""
    wanted = sys.argv[1].lower()
    sender = Sender(sys.stdout.buffer)
    app = QGuiApplication([sys.argv[0], "-platform", "offscreen"])
    end_when_hung(app)
    try:
        from PySide6.QtMultimedia import QCamera, QMediaCaptureSession, QMediaDevices, QVideoSink
    except ImportError as error:  # a library of the system is not installed
        sender.lose("SCAN-CAMERA", str(error))
        return 0
    devices = [device for device in QMediaDevices.videoInputs() if wanted in device.description().lower()]
    if not devices:
        sender.lose("SCAN-CAMERA" if wanted else "", "no such camera" if wanted else "")
        return 0
    camera, session, sink = QCamera(devices[0]), QMediaCaptureSession(), QVideoSink()
    formats = [shape for shape in devices[0].videoFormats() if _pixels(shape.resolution()) <= MOST_PIXELS]
    if formats:
        camera.setCameraFormat(max(formats, key=_worth))
    session.setCamera(camera)
    session.setVideoSink(sink)
    sink.videoFrameChanged.connect(lambda frame: sender.show(frame.toImage()))
    camera.errorOccurred.connect(lambda _error, told: sender.lose("SCAN-CAMERA", told))
    sender.ended.connect(app.quit, Qt.ConnectionType.QueuedConnection)
    camera.start()
    threading.Thread(target=sender.read, args=(sys.stdin.buffer,), name="camera-orders", daemon=True).start()
    return app.exec()


def _worth(shape: QCameraFormat) -> tuple[int, float]:
    return _pixels(shape.resolution()), shape.maxFrameRate()


def _pixels(size: QSize) -> int:
    return size.width() * size.height()


if __name__ == "__main__":
    sys.exit(main())
