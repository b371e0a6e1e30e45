"""The process of the voice: `python -m clerk_app.devices.voice.process SETTINGS`, started by `speaking`.

SETTINGS is a JSON object: languages, rate, volume. It writes one JSON line when it has opened its
engine: {"state", "code", "detail"} as in `VoiceStatus`. Then each line on its standard input is a list of
[language, sentence]; it answers {"lost": ""} when they were spoken, or the reason why the engine went away.
It ends when its input does.
"""

from __future__ import annotations

import json
import sys
import threading

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal

from clerk_app.devices.heartbeat import end_when_hung


class _Orders(QObject):
    """Signals: came(a line of the standard input), ended."""

    came = Signal(str)
    ended = Signal()

    def read(self) -> None:
        for line in sys.stdin:
            self.came.emit(line)
        self.ended.emit()


def main() -> int:
    """Speak until the input ends."""
    told = json.loads(sys.argv[1])
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    app = QCoreApplication(sys.argv[:1])
    end_when_hung(app)
    try:
        from clerk_app.devices.voice.speaker import Speaker
    except ImportError as error:  # a library of the system that sound needs is not installed
        _say({"state": "silent", "code": "VOICE-SILENT", "detail": str(error)})
        return 0
    speaker = Speaker(tuple(told["languages"]), told["rate"], told["volume"])
    orders = _Orders()
    orders.came.connect(lambda line: speaker.speak(json.loads(line)), Qt.ConnectionType.QueuedConnection)
    orders.ended.connect(app.quit, Qt.ConnectionType.QueuedConnection)
    speaker.spoken.connect(lambda lost: _say({"lost": lost}))
    status = speaker.status()
    _say({"state": status.state, "code": status.code, "detail": status.detail})
    threading.Thread(target=orders.read, name="voice-orders", daemon=True).start()
    return app.exec()


def _say(answer: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
