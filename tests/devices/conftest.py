"""Card readers for the device tests. The other devices' fixtures stand beside their tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from card_events import Events
from pcscd import Bench


@pytest.fixture(scope="session")
def card_bench() -> Iterator[Bench]:
    """The namespaces with the virtual reader; pcscd does not run yet."""
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def pcscd(card_bench: Bench) -> Iterator[Bench]:
    """pcscd running with two empty readers; whatever the test leaves is killed."""
    card_bench.start()
    yield card_bench
    card_bench.kill()


@pytest.fixture
def events() -> Events:
    return Events()
