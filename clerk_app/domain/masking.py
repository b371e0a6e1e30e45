"""What lists, slips and screens show of personal data: one table, used everywhere."""

from __future__ import annotations

import re

_IDENTITY = re.compile(r"(?<![0-9A-Za-z])(?:[0-9]{17}[0-9Xx]|[0-9]{15}|[A-Z]{3}[0-9]{12})(?![0-9A-Za-z])")


def number(value: str) -> str:
    """First six and last four of an identity or credit number: `510704********1234`."""
    if len(value) <= 10:
        return "*" * max(len(value) - 4, 0) + value[-4:]
    return value[:6] + "*" * (len(value) - 10) + value[-4:]


def name(value: str) -> str:
    """The family name and stars, as lists show it: `李**`. Latin names keep the first letter of each word."""
    if not value:
        return ""
    if value.isascii():
        return " ".join(part[0] + "*" * (len(part) - 1) for part in value.split())
    return value[0] + "*" * (len(value) - 1)


def phone(value: str) -> str:
    """`138****1234`; shorter numbers keep their last four."""
    if len(value) == 11:
        return f"{value[:3]}****{value[-4:]}"
    return "*" * max(len(value) - 4, 0) + value[-4:]


def reason(text: str) -> str:
    """A reason somebody typed, with every identity number in it masked: reasons are printed and audited."""
    return _IDENTITY.sub(lambda found: number(found[0]), text.strip())
