"""The wall time of every hall: one zone and no summer time in the whole country.

Days begin and end by it, never by UTC and never by what a workstation's zone happens to be set to.
"""

from __future__ import annotations

from datetime import timedelta, timezone

HALL_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")
