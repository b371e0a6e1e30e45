"""Statements of the office: believed when its key signed exactly this text, and in no other case."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clerk_app.desk.ports import Seal
from clerk_app.failures import Failure
from clerk_app.sync.protocol import Sealed
from clerk_app.sync.seals import kept, read_seal

# RFC 8032, section 7.1, test 1: the key every implementation agrees on.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

# Signed once with that key; Ed25519 signs the same bytes the same way everywhere.
TEXT = (
    '{"what":"grant","device":"dev-1","staff_no":"1024","rights":["accept","call"],'
    '"issued_at":"2026-11-20T08:00:00+08:00","not_after":"2026-11-23T08:00:00+08:00"}'
)
SIGNATURE = (
    "8cd27d3e25298de182ea423550d4a880c9f76b3cb7c3c0e264380937da64661f"
    "2a5bcf9b907a4673f14d3702a1b124d6089f20b35804126ed3054e990dbef40d"
)


def refused(seal_key: str, seal: Seal | Sealed) -> str:
    with pytest.raises(Failure) as caught:
        read_seal(seal_key, seal)
    return caught.value.code


def test_a_statement_of_the_office_is_read() -> None:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    assert key.public_key().public_bytes_raw().hex() == PUBLIC
    told = read_seal(PUBLIC, Seal(TEXT, SIGNATURE))
    assert (told["what"], told["staff_no"], told["rights"]) == ("grant", "1024", ["accept", "call"])
    assert read_seal(PUBLIC, Sealed(TEXT, SIGNATURE)) == told


def test_a_changed_letter_is_noticed_wherever_it_stands() -> None:
    for place in range(0, len(TEXT), 7):
        changed = TEXT[:place] + chr(ord(TEXT[place]) ^ 1) + TEXT[place + 1 :]
        assert refused(PUBLIC, Seal(changed, SIGNATURE)) == "SYNC-SEAL"
    for place in range(0, len(SIGNATURE), 11):
        digit = "0" if SIGNATURE[place] != "0" else "1"
        forged = SIGNATURE[:place] + digit + SIGNATURE[place + 1 :]
        assert refused(PUBLIC, Seal(TEXT, forged)) == "SYNC-SEAL"


def test_another_key_states_nothing_here() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    assert refused(other, Seal(TEXT, SIGNATURE)) == "SYNC-SEAL"


@pytest.mark.parametrize("key", ["", "00", "not hex", PUBLIC[:-2]])
def test_no_key_no_belief(key: str) -> None:
    assert refused(key, Seal(TEXT, SIGNATURE)) == "SYNC-SEAL"


@pytest.mark.parametrize("signature", ["", "ff", "no hex", SIGNATURE[:-2], SIGNATURE + "00"])
def test_a_signature_of_another_shape_is_none(signature: str) -> None:
    assert refused(PUBLIC, Seal(TEXT, signature)) == "SYNC-SEAL"


@pytest.mark.parametrize("text", ["[1]", "no json", "", json.dumps("x")])
def test_what_is_signed_must_be_a_table(text: str) -> None:
    signed = Ed25519PrivateKey.from_private_bytes(SEED).sign(text.encode()).hex()
    assert refused(PUBLIC, Seal(text, signed)) == "SYNC-SEAL"


def test_a_statement_is_kept_as_it_came() -> None:
    assert kept(Sealed(TEXT, SIGNATURE)) == Seal(TEXT, SIGNATURE)
    assert kept(None) is None
