"""A process of the voice that tests hold the strings of: `voice_puppet.py LOG WAYS SETTINGS`.

It writes each order to LOG. WAYS is a comma-separated list of how the first processes behave, one a
start: "ready", "deaf" (never opens), "mute" (opens and never finishes a call), "dies" (ends at its first
call), "idle" (ends before its first call), "closes" (takes no call any more), "talks" (a library of it prints
lines of its own) or "lost" (says that its engine went away). The last one goes on for ever.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def say(**answer: str) -> None:
    print(json.dumps(answer), flush=True)


log, ways = Path(sys.argv[1]), sys.argv[2].split(",")
starts = log.read_text(encoding="utf-8").count("start") if log.exists() else 0
with log.open("a", encoding="utf-8") as file:
    file.write("start\n")
way = ways[min(starts, len(ways) - 1)]
if way == "deaf":
    time.sleep(60)
if way == "talks":
    print("ALSA lib: underrun\n42", flush=True)
say(state="ready", code="", detail="")
if way == "idle":
    sys.exit()
if way == "closes":
    os.close(0)
    time.sleep(60)
for line in sys.stdin:
    with log.open("a", encoding="utf-8") as file:
        file.write(line)
    if way == "mute":
        time.sleep(60)
    if way == "dies":
        break
    say(lost="gone" if way == "lost" else "")
