"""The round of the doctor: independent looks, each with its time, each part told exactly once."""

from __future__ import annotations

import threading
import time

import pytest

from clerk_app.desk.ports import Check, Level, VoiceState, VoiceStatus
from clerk_app.doctor import cache, items, machine, paper
from clerk_app.doctor.report import as_data
from clerk_app.doctor.rounds import Look, Rounds, Tell
from clerk_app.doctor.standing import without_settings
from clerk_app.failures import Failure
from clerk_app.store.engine import check_sqlite
from clerk_app.ui import doctor_words, words


def run(*looks: Look) -> dict[str, Check]:
    told: list[Check] = []
    Rounds(lambda _asked: looks).run(told.append)
    assert len({check.key for check in told}) == len(told), "a part was told twice"
    return {check.key: check for check in told}


def well(*keys: str) -> Look:
    return Look(keys, 5.0, lambda tell: [tell(Check(key)) for key in keys] and None)


def test_every_part_is_told() -> None:
    assert set(run(well("a", "b"), well("c"))) == {"a", "b", "c"}


def test_a_look_that_hangs_is_told_and_keeps_nobody_waiting() -> None:
    let_go = threading.Event()

    def hangs(tell: Tell) -> None:
        tell(Check("first"))
        let_go.wait(20)
        tell(Check("second"))

    begun = time.monotonic()
    told = run(Look(("first", "second", "third"), 0.3, hangs), well("other"))
    assert time.monotonic() - begun < 2
    let_go.set()
    assert told["first"].level is Level.OK
    assert told["other"].level is Level.OK
    for key in ("second", "third"):
        assert (told[key].level, told[key].code) == (Level.WARN, "DOCTOR-NO-ANSWER")
        assert told[key].detail == "no answer in 0.3 s"


def test_looks_do_not_wait_for_each_other() -> None:
    meet = threading.Barrier(3, timeout=5)

    def looks(tell: Tell, key: str) -> None:
        meet.wait()
        tell(Check(key))

    told = run(*(Look((key,), 10.0, lambda tell, key=key: looks(tell, key)) for key in "abc"))
    assert {check.level for check in told.values()} == {Level.OK}


def test_a_failure_is_the_state_of_the_part_and_the_rest_was_not_looked_at() -> None:
    def fails(tell: Tell) -> None:
        tell(Check("a"))
        raise Failure("STORE-DAMAGED", "page 7")

    told = run(Look(("a", "b", "c"), 5.0, fails))
    assert (told["b"].level, told["b"].code, told["b"].detail) == (Level.FAIL, "STORE-DAMAGED", "page 7")
    assert told["c"].code == "DOCTOR-NOT-CHECKED"


def test_a_bug_in_one_look_is_a_line_without_its_message(caplog: pytest.LogCaptureFixture) -> None:
    somebody = "".join(("Li ", "Ming"))

    def breaks(_tell: Tell) -> None:
        raise ValueError(somebody)

    told = run(Look(("a",), 5.0, breaks), well("b"))
    assert (told["a"].code, told["a"].detail) == ("DOCTOR-BUG", "ValueError")
    assert told["b"].level is Level.OK
    assert somebody not in caplog.text


def test_settings_that_cannot_be_read_leave_the_machine_to_be_looked_at(tmp_path) -> None:
    from clerk_app.doctor.rounds import Asked

    looks = without_settings(tmp_path, Failure("SETTINGS-INVALID", "printer.width"), Asked())
    told = run(*looks)
    assert told["settings"].code == "SETTINGS-INVALID"
    assert told["printer"].code == "DOCTOR-NOT-CHECKED"
    assert told["office"].code == "DOCTOR-NOT-CHECKED"
    assert told["disk"].level is Level.OK
    assert told["fonts"].level is Level.OK


# --- the looks that need no device ------------------------------------------------------------------------


def test_an_old_sqlite_is_a_failure() -> None:
    told = run(cache.sqlite_look("3.40.1", lambda: check_sqlite((3, 40, 1))))
    assert (told["sqlite"].code, told["sqlite"].detail) == ("STORE-OLD-SQLITE", "3.40.1")


@pytest.mark.parametrize(("lacking", "level"), [("", Level.OK), ("𠮷", Level.WARN), ("国𠮷", Level.FAIL)])
def test_fonts_are_judged_by_what_they_draw(lacking: str, level: Level) -> None:
    told = run(machine.fonts_look(lambda: ("Noto", "Noto"), lambda character: character not in lacking))
    assert told["fonts"].level is level
    if lacking:
        assert told["fonts"].code == "DOCTOR-FONTS"
        assert "U+20BB7" in told["fonts"].detail


@pytest.mark.parametrize(
    ("status", "level", "code"),
    [
        (VoiceStatus(VoiceState.OFF), Level.OK, ""),
        (VoiceStatus(VoiceState.READY), Level.OK, ""),
        (VoiceStatus(VoiceState.CHIME, "VOICE-NO-SPEECH"), Level.WARN, "VOICE-NO-SPEECH"),
        (VoiceStatus(VoiceState.STARTING), Level.WARN, "DOCTOR-NO-ANSWER"),
    ],
)
def test_a_voice_that_is_less_than_wanted_is_a_warning(status, level, code) -> None:
    told = run(machine.voice_look(lambda: status))["voice"]
    assert (told.level, told.code) == (level, code)


@pytest.mark.parametrize(
    ("wanted", "there", "code", "said"),
    [
        ("", (), "", "none"),
        ("", ("HD Camera",), "", ""),
        ("HD", ("HD Camera",), "", ""),
        ("Desk", ("HD Camera",), "DOCTOR-CAMERA", ""),
    ],
)
def test_only_a_camera_that_is_wanted_is_missed(wanted, there, code, said) -> None:
    told = run(machine.camera_look(wanted, lambda: there))["camera"]
    assert (told.code, told.said) == (code, said)


def test_no_catalogue_yet_is_a_warning(tmp_path) -> None:
    told = run(items.look(tmp_path / "catalogue.db", lambda: (1, "1")))["catalogue"]
    assert (told.level, told.code) == (Level.WARN, "CATALOGUE-MISSING")


def test_broken_templates_are_named_with_their_lines() -> None:
    told = run(paper.templates_look(lambda: ("ticket.slip:3: unknown word",)))["templates"]
    assert (told.code, told.detail) == ("DOCTOR-TEMPLATES", "ticket.slip:3: unknown word")


def test_a_printers_address_is_told_without_its_password() -> None:
    assert paper.address("cups://clerk:secret@host:631/slips") == "cups://host:631/slips"
    assert paper.address("tcp://192.0.2.10:9100") == "tcp://192.0.2.10:9100"
    assert paper.address("serial:///dev/ttyS0?baud=9600") == "serial:///dev/ttyS0?baud=9600"


# --- the report -------------------------------------------------------------------------------------------


def test_every_part_and_every_state_has_words() -> None:
    known = words.words("zh")
    parts = {key.split(".")[2] for key in known if key.startswith("doctor.name.")}
    states = {key.split(".")[2] for key in known if key.startswith("doctor.well.")}
    assert {state for state in states if not state.startswith(tuple(parts))} == set()
    assert parts - {"card"} <= states


def test_the_report_says_what_to_do_and_counts() -> None:
    words.speak("en")
    try:
        told = doctor_words.report(
            [Check("disk", values=(("megabytes", 900),)), Check("reader.2", Level.FAIL, "CARD-NO-READER")]
        )
    finally:
        words.speak("zh")
    assert "[OK] Disk: 900 MB are free." in told
    assert "[Failure] Card reader 2: " in told
    assert "    CARD-NO-READER  " in told
    assert told.endswith("OK 1 · warnings 0 · failures 1")


def test_the_json_keeps_its_keys() -> None:
    import json

    told = json.loads(as_data([Check("clock", Level.WARN, "DOCTOR-CLOCK", values=(("seconds", 305.0),))]))
    assert set(told) == {"format", "version", "level", "checks"}
    assert (told["format"], told["level"]) == (1, "warn")
    (line,) = told["checks"]
    assert list(line) == ["key", "level", "code", "said", "name", "sentence", "action", "values", "detail"]
    assert line["values"] == {"seconds": 305.0}
