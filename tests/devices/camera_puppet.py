"""A process of the camera that tests hold the strings of: `camera_puppet.py PICTURE WAY NAME`.

WAY is "sees" (sends frames, a photo when asked), "dies" (ends after a frame), "none" (has no camera),
"babbles" (sends nonsense), "closes" (takes no order any more) or "deaf" (never says anything).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from clerk_app.devices.scanner.camera import FRAME, HEAD, LOST, PHOTO

picture, way = Path(sys.argv[1]).read_bytes(), sys.argv[2]
out = sys.stdout.buffer


def send(kind: bytes, content: bytes) -> None:
    out.write(HEAD.pack(kind, len(content)) + content)
    out.flush()


if way == "deaf":
    time.sleep(60)
if way == "none":
    send(LOST, b"\n")
elif way == "babbles":
    out.write(b"\xff" * 20)
    out.flush()
    time.sleep(60)
else:
    if way == "closes":
        os.close(0)
    send(FRAME, picture)
    if way == "closes":
        time.sleep(60)
    if way == "sees":
        for _ in sys.stdin:
            send(PHOTO, picture)
            send(FRAME, picture)
