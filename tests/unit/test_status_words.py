"""Every class of status word has a code, and every code a sentence for the clerk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk_app import failures
from clerk_app.devices.card import status_words


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("6200", "CARD-UNREADABLE"),
        ("6281", "CARD-UNREADABLE"),
        ("6283", "CARD-BLOCKED"),
        ("6285", "CARD-BLOCKED"),
        ("6300", "CARD-UNREADABLE"),
        ("63C0", "CARD-BLOCKED"),
        ("63C1", "CARD-REFUSED"),
        ("63CF", "CARD-REFUSED"),
        ("6400", "CARD-MOVED"),
        ("6401", "CARD-MOVED"),
        ("6500", "CARD-CHIP"),
        ("6581", "CARD-CHIP"),
        ("6600", "CARD-REFUSED"),
        ("6700", "CARD-COMMAND"),
        ("6881", "CARD-COMMAND"),
        ("6981", "CARD-NO-DATA"),
        ("6982", "CARD-REFUSED"),
        ("6983", "CARD-BLOCKED"),
        ("6984", "CARD-BLOCKED"),
        ("6985", "CARD-REFUSED"),
        ("6986", "CARD-REFUSED"),
        ("6A80", "CARD-COMMAND"),
        ("6A81", "CARD-COMMAND"),
        ("6A82", "CARD-NO-DATA"),
        ("6A83", "CARD-NO-DATA"),
        ("6A86", "CARD-COMMAND"),
        ("6A88", "CARD-NO-DATA"),
        ("6B00", "CARD-COMMAND"),
        ("6C00", "CARD-COMMAND"),
        ("6D00", "CARD-COMMAND"),
        ("6E00", "CARD-COMMAND"),
        ("6F00", "CARD-UNREADABLE"),
        ("9301", "CARD-UNREADABLE"),  # no class of ISO/IEC 7816-4
        ("", "CARD-UNREADABLE"),  # no status at all
        ("90", "CARD-UNREADABLE"),
    ],
)
def test_a_status_word_is_a_code(word: str, code: str) -> None:
    status = bytes.fromhex(word)
    assert not status_words.done(status)

    failure = status_words.failure("offset 0", status)

    assert failure.code == code
    assert failure.detail == f"offset 0: status {word or 'missing'}"
    for language in ("zh", "en"):
        assert failures.text(code, language).sentence


@pytest.mark.parametrize("word", ["9000", "6282"])
def test_what_was_done_is_no_failure(word: str) -> None:
    assert status_words.done(bytes.fromhex(word))


@given(st.binary(max_size=4))
def test_any_status_has_a_code_with_a_sentence(status: bytes) -> None:
    code = status_words.code(status)

    assert code in failures.codes()
    assert code in status_words.PERHAPS_PULLED  # a card that goes can look like each of them
