"""Chaos: real offices, windows, databases and lines, killed without warning; the history judged afterwards.

`python -m tests.chaos [--kills N] [--seed S] [--minutes M] [--database sqlite|postgresql]`. The seed decides
what is done to whom and in which order; the moments are the machine's, so a run is repeated in kind, not to
the microsecond.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "integration"))
