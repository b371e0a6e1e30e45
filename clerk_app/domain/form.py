"""What a form field already knows from the card, and what is wrong with a value."""

from __future__ import annotations

import re
from datetime import date

from clerk_app.domain.applicant import Applicant, Organisation, Person, Sex
from clerk_app.domain.catalogue import FieldKind, FormField
from clerk_app.domain.ethnicity import ethnic_group

_PHONE = re.compile(r"1\d{10}|0\d{2,3}-?\d{7,8}(-\d{1,5})?|\+\d{6,15}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_SEX = {Sex.MALE: "男", Sex.FEMALE: "女"}


def known(field: FormField, applicant: Applicant | None) -> str:
    """The value the identity card or credit code gives for `field`, or an empty string."""
    if applicant is None or not field.fill:
        return ""
    party = applicant.party
    if isinstance(party, Organisation):
        return {"name": party.name, "number": party.uscc, "uscc": party.uscc}.get(field.fill, "")
    return _of_person(field.fill, party)


def _of_person(fill: str, person: Person) -> str:
    match fill:
        case "name":
            return person.name
        case "number":
            return person.number
        case "sex":
            return _SEX.get(person.sex, "")
        case "birth":
            return person.birth.isoformat() if person.birth else ""
        case "ethnicity":
            return ethnic_group(person.ethnicity)
        case "address":
            return person.address
        case "valid_until":
            if person.long_term:
                return "长期"
            return person.valid_until.isoformat() if person.valid_until else ""
        case _:
            return ""


def problem(field: FormField, value: str) -> str:
    """What is wrong with `value` as a translation key, or an empty string."""
    if not value.strip():
        return "field.required" if field.required else ""
    match field.kind:
        case FieldKind.PHONE:
            return "" if _PHONE.fullmatch(value.strip()) else "field.phone"
        case FieldKind.NUMBER:
            return "" if _NUMBER.fullmatch(value.strip()) else "field.number"
        case FieldKind.DATE:
            return "" if _is_date(value.strip()) else "field.date"
        case FieldKind.CHOICE:
            return "" if value in field.choices else "field.choice"
        case FieldKind.TEXT | FieldKind.LONG_TEXT:
            return ""


def _is_date(value: str) -> bool:
    if value == "长期":
        return True
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
