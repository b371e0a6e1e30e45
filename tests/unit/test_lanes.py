"""Lanes: one thread each, in order, with the exceptions where they belong and no thread left over."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

from clerk_app.lanes import Lane


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane("test")
    yield lane
    assert lane.close()


def test_work_runs_on_the_named_thread_and_answers(lane: Lane) -> None:
    assert lane.run(lambda a, b: (a + b, threading.current_thread().name), 1, b=2) == (3, "lane-test")


def test_work_runs_in_the_order_it_was_given(lane: Lane) -> None:
    done: list[int] = []
    futures = [lane.submit(done.append, n) for n in range(200)]
    for future in futures:
        future.result(5)
    assert done == list(range(200))


def test_on_the_lane_itself_run_is_a_plain_call(lane: Lane) -> None:
    assert lane.run(lambda: lane.run(lambda: lane.here))


def test_an_exception_travels_and_the_lane_goes_on(lane: Lane) -> None:
    def fall() -> None:
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        lane.run(fall)
    with pytest.raises(SystemExit):
        lane.run(exit)
    assert lane.run(lambda: "still here") == "still here"


def test_the_lane_is_asserted_in_code(lane: Lane) -> None:
    lane.run(lane.assert_here)
    with pytest.raises(AssertionError, match="must be on lane test"):
        lane.assert_here()


def test_close_finishes_what_is_queued_and_leaves_no_thread() -> None:
    lane, gate = Lane("closing"), threading.Event()
    lane.submit(gate.wait, 5)
    last = lane.submit(lambda: "done")
    gate.set()
    assert lane.close()
    assert last.result(0) == "done"
    assert "lane-closing" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError, match="lane closing is closed"):
        lane.submit(lambda: None)
    assert lane.close()  # twice is harmless


def test_a_lane_that_hangs_does_not_hold_those_who_wait_behind_it() -> None:
    lane, gate = Lane("hanging"), threading.Event()
    lane.submit(gate.wait, 60)
    behind = lane.submit(lambda: None)
    assert not lane.close(timeout=0.01)
    with pytest.raises(CancelledError):
        behind.result(5)
    gate.set()
    assert lane.close()


def test_closing_from_the_lane_itself_does_not_wait_for_itself() -> None:
    lane = Lane("self")
    assert lane.run(lane.close) is False
    assert lane.close()


def test_what_the_work_held_is_let_go_when_it_is_done(lane: Lane) -> None:
    class Held:
        pass

    held = Held()
    alive = weakref.ref(held)
    lane.run(lambda _: None, held)
    lane.run(lambda: None)
    del held
    assert alive() is None


def test_a_leaf_may_be_waited_for_and_waits_for_nobody() -> None:
    """Two lanes that wait for each other would stand still for ever: a leaf fails instead."""
    leaf, other = Lane("leaf", leaf=True), Lane("other")
    try:
        assert other.run(leaf.run, lambda: 7) == 7
        assert leaf.run(leaf.run, lambda: 7) == 7
        with pytest.raises(AssertionError, match="lane leaf is a leaf"):
            leaf.run(other.run, lambda: 7)
    finally:
        assert other.close()
        assert leaf.close()
