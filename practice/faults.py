"""What can be wrong with the practice printer, in words a player chooses from."""

from __future__ import annotations

from clerk_app.devices.printer.simulator.mechanism import NO_FAULTS, Faults

PRINTER_FAULTS: tuple[tuple[str, Faults], ...] = (
    ("打印机正常 · Printer works", NO_FAULTS),
    ("缺纸 · Out of paper", Faults(paper_out=True)),
    ("打到一半没纸 · Paper ends halfway", Faults(paper_out_after_lines=8)),
    ("纸快用完 · Paper near its end", Faults(paper_near_end=True)),
    ("上盖打开 · Cover open", Faults(cover_open=True)),
    ("切刀卡住 · Cutter jammed", Faults(cutter_jammed=True)),
    ("打印头过热 · Print head too hot", Faults(overheated=True)),
    ("需要维修 · Needs a technician", Faults(broken=True)),
    ("脱机 · Offline", Faults(offline=True)),
    ("很慢 · Slow", Faults(bytes_per_second=800)),
    ("只打印不应答 · Prints, never answers", Faults(silent=True)),
    ("缺纸却说正常 · Out of paper, says all is well", Faults(paper_out=True, lies=True)),
    ("连上不收 · Connects, takes nothing", Faults(half_closed=True)),
    ("连不上 · Refuses to connect", Faults(refuses=True)),
)
"""The first one is no fault: choosing it repairs the printer."""
