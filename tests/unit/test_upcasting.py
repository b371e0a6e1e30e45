"""Bodies of the schema before: read as the present one writes them, by pure functions."""

from __future__ import annotations

from copy import deepcopy

import pytest

from back_office.upcasting import OLDEST, upcast
from clerk_app.sync.protocol import SCHEMA

VOID = {"case_id": "c", "number": "n", "reason": "r", "voided_at": "2026-11-21T09:00:00+08:00"}


def test_the_office_reads_this_schema_and_the_one_before() -> None:
    assert (OLDEST, SCHEMA) == (SCHEMA - 1, 2), "another schema needs its upcaster and a test here"


def test_a_void_of_schema_1_was_approved_by_nobody() -> None:
    assert upcast("case.void", 1, VOID) == VOID | {"approved_by": ""}
    smuggled = VOID | {"approved_by": "9001"}
    assert upcast("case.void", 1, smuggled) == VOID | {"approved_by": ""}, "schema 1 has no such word"
    assert upcast("case.void", 2, smuggled) == smuggled


@pytest.mark.parametrize("type_", ["case.file", "case.accept", "ticket.by_paper", "nobody.knows"])
def test_every_other_body_is_the_same_in_both(type_: str) -> None:
    assert upcast(type_, 1, VOID) == VOID == upcast(type_, 2, VOID)


@pytest.mark.parametrize("type_", ["ticket.issued", "numbers.void"])
def test_what_schema_1_did_not_have_is_not_read_in_it(type_: str) -> None:
    assert upcast(type_, 1, VOID) is None
    assert upcast(type_, 2, VOID) == VOID


@pytest.mark.parametrize("schema", [-1, 0, 3, 99])
def test_other_schemas_are_not_read(schema: int) -> None:
    assert upcast("case.file", schema, VOID) is None


def test_the_body_that_came_is_left_as_it_is() -> None:
    """Its hash is that of the body as it was sent."""
    body = deepcopy(VOID)
    upcast("case.void", 1, body)
    assert body == VOID
