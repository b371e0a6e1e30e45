"""A catalogue is swapped in one step: kill -9 at any moment leaves the old file or the whole new one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from clerk_app.catalogue.shipping import digest, pack

KILLS = 6

_INSTALLS = """
import sys
from pathlib import Path
from clerk_app.catalogue.shipping import install
target = Path(sys.argv[1])
both = [(Path(path), sha256) for path, sha256 in zip(sys.argv[2::2], sys.argv[3::2])]
for turn in range(10_000):
    packed, sha256 = both[turn % 2]
    install(packed, target, sha256)
    print(turn, flush=True)
"""


@pytest.fixture
def versions(tmp_path: Path) -> list[tuple[Path, str]]:
    """Two catalogues of 8 MB that hardly compress: writing one takes a while."""
    made = []
    for number in range(2):
        plain, packed = tmp_path / f"{number}.db", tmp_path / f"{number}.zst"
        plain.write_bytes(random.Random(number).randbytes(8 << 20))
        packed.write_bytes(pack(plain))
        made.append((packed, digest(plain)))
    return made


def test_a_kill_during_the_swap_leaves_one_whole_catalogue(tmp_path, versions):
    target = tmp_path / "catalogue.db"
    arguments = [text for packed, sha256 in versions for text in (str(packed), sha256)]
    moments = random.Random(16)
    for _ in range(KILLS):
        command = [sys.executable, "-c", _INSTALLS, str(target), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(moments.randrange(1, 4)):
                child.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(moments.random() * 0.1)  # somewhere in the next swap
            child.kill()
        assert digest(target) in {sha256 for _, sha256 in versions}
