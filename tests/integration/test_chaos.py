"""Real processes, killed and cut: named faults one by one, then a sample of `make chaos`.

Every test ends with the judgement of `tests.chaos.truth` over everything the hall has been through so far.
Faults 5 and 7 kill programs, not machines: what was written is with the operating system and survives. Fault
6, the loss of power, is in `test_power_loss`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import points
from tests.chaos.hall import ChaosHall, Seat
from tests.chaos.history import told
from tests.chaos.run import run
from tests.chaos.truth import Verdict, judge
from tests.fault_proxy import Fault, Weather

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

KILLS = 12


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosHall]:
    with ChaosHall(tmp_path_factory.mktemp("chaos") / "hall", 2, seed=4) as hall:
        yield hall


@pytest.fixture
def seat(hall: ChaosHall) -> Seat:
    return hall.seats[0]


def judged(hall: ChaosHall) -> Verdict:
    verdict = judge(hall)
    assert verdict.findings == []
    return verdict


def events(hall: ChaosHall, what: str) -> list[dict]:
    return [event for event in told(hall.histories) if event["what"] == what]


def delivered(hall: ChaosHall) -> int:
    return hall.rows("SELECT count(*) AS n FROM delivery")[0].n


def offline(hall: ChaosHall, seat: Seat, citizens: int) -> None:
    """Work while the network is gone."""
    hall.kill_proxy()
    hall.lived(seat, citizens=citizens)
    hall.start_proxy()


def test_fault_03_every_push_arrives_twice_at_once(hall: ChaosHall, seat: Seat) -> None:
    hall.fault(Fault.TWICE, "/sync/push")
    hall.lived(seat, citizens=4)
    hall.calm()
    judged(hall)
    assert hall.met()["TWICE"] > 0


@pytest.mark.parametrize("point", points.WINDOW)
def test_fault_05_a_window_killed_at_each_step_goes_on_where_it_was(
    hall: ChaosHall, seat: Seat, point: str
) -> None:
    for times in (1, 3):
        hall.live(seat, f"{point}:{times}")
        assert hall.nursery.wait(seat.pid) == -9
    judged(hall)


@pytest.mark.parametrize("point", points.OFFICE)
def test_fault_07_an_office_killed_in_a_push_did_all_of_it_or_nothing(
    hall: ChaosHall, seat: Seat, point: str
) -> None:
    hall.kill_office()
    hall.start_office(f"{point}:12")
    hall.live(seat)
    assert hall.nursery.wait(hall.office.pid) == -9
    hall.start_office()
    hall.nursery.kill(seat.pid)
    judged(hall)


def test_fault_10_a_full_disk_takes_no_number_and_what_is_here_still_goes_up(
    hall: ChaosHall, seat: Seat
) -> None:
    if not seat.small_disk:
        pytest.skip("no disk of our own to fill: mounting a tmpfs needs root")
    offline(hall, seat, 3)
    filed, there = len(events(hall, "filed")), delivered(hall)
    hall.fill_disk(seat, leave=8 << 20)  # below what new work leaves for the rest
    hall.lived(seat, citizens=3)
    assert {event["code"] for event in events(hall, "failed")} >= {"STORE-FULL"}
    assert len(events(hall, "filed")) == filed
    assert delivered(hall) > there
    hall.fill_disk(seat)  # nothing at all is left
    hall.live(seat)
    hall.nursery.wait(seat.pid, 3)
    hall.nursery.kill(seat.pid)
    hall.free_disk(seat)
    judged(hall)


def test_fault_14_a_clock_that_is_set_changes_no_order(hall: ChaosHall, seat: Seat) -> None:
    for ahead in (86_400.0, -86_400.0, 0.0):
        seat.ahead = ahead
        offline(hall, seat, 2)
    judged(hall)


@pytest.mark.parametrize("fault", [Fault.DEAF, Fault.HALF_OPEN], ids=["it can send", "it can receive"])
def test_fault_15_a_line_that_works_one_way_only(hall: ChaosHall, seat: Seat, fault: Fault) -> None:
    hall.fault(fault)
    hall.lived(seat, citizens=3, patience=0.5)
    hall.calm()
    judged(hall)
    assert hall.met()[fault.name] > 0


def test_fault_16_a_thin_and_lossy_line_makes_progress(hall: ChaosHall, seat: Seat) -> None:
    offline(hall, seat, 4)
    before = delivered(hall)
    hall.weather({}, Weather(latency=1.0, loss=0.3, bandwidth=1000.0))
    hall.live(seat, citizens=0, patience=15.0)
    end = time.monotonic() + 90
    while (now := delivered(hall)) == before and time.monotonic() < end:
        time.sleep(0.2)
    hall.nursery.kill(seat.pid)
    hall.calm()
    assert now > before
    judged(hall)


def test_fault_19_a_storm_of_503_and_429_is_waited_out(hall: ChaosHall) -> None:
    hall.weather({Fault.BUSY: 0.5, Fault.THROTTLED: 0.3}, Weather())
    for each in hall.seats:
        hall.live(each, citizens=4)
    for each in hall.seats:
        assert hall.nursery.wait(each.pid) == 0
    hall.calm()
    judged(hall)
    met = hall.met()
    assert met["BUSY"]
    assert met["THROTTLED"]


def test_fault_23_windows_that_call_at_once_never_call_the_same_ticket(hall: ChaosHall) -> None:
    given = [hall.ticket() for _ in range(10)]
    before = len(events(hall, "announced"))
    for each in hall.seats:
        hall.live(each, citizens=6, calls=1.0)
    for each in hall.seats:
        assert hall.nursery.wait(each.pid) == 0
    judged(hall)
    announced = [event["ticket"] for event in events(hall, "announced")[before:]]
    assert len(announced) == len(set(announced))
    assert set(announced) & set(given)


def test_a_sample_of_the_chaos_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    result = run(tmp_path / "hall", kills=KILLS, minutes=1.0, seed=11, windows=2, every=2.0)
    assert result.findings == []
    assert result.figures["kills"] >= KILLS
    assert result.figures["told: filed"] > 0
