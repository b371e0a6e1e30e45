"""What may be asked: the requests of the protocol, held to limits.

The window writes `clerk_app.sync.protocol`; whoever else speaks to the office is told the limits by the
OpenAPI document, and refused beyond them (422). Numbers are numbers here: no "5", no true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError

from clerk_app.sync import protocol
from clerk_app.sync.protocol import BlockKind, VoidReason

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL stores no NUL."""

MAX_ENVELOPE = 64 * 1024 * 1024
MAX_BLOCK = 5_000
LAST_REQUEST = 2**53
"""The numbers of JSON end there."""

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
Name = Annotated[str, Field(max_length=200, pattern=NO_NUL)]


def whole(value: Any) -> int:
    """A whole number of JSON, 5 or 5.0. Raises PydanticCustomError for what is none: "5", true, 5.5."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise PydanticCustomError("whole", "not a whole number")
    return value


Whole = Annotated[int, BeforeValidator(whole)]


def within(low: int, high: int) -> Any:
    """A whole number whose limits the document tells; the office's own code holds to them."""
    return Field(json_schema_extra={"minimum": low, "maximum": high})


@dataclass(frozen=True, slots=True)
class OrElse:
    """In the document: the type it annotates, or what is taken all the same, as `otherwise` describes."""

    otherwise: str
    required: str = ""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        proper = handler(core)
        some = [one for one in proper.get("anyOf", [proper]) if one.get("type") != "null"]
        anything: dict[str, Any] = {"description": self.otherwise}
        if self.required:
            anything |= {"type": "object", "required": [self.required]}
            anything["properties"] = {self.required: {"type": "integer"}}
        return {"anyOf": [*some, anything]}


@dataclass(frozen=True, slots=True)
class EnrolRequest(protocol.EnrolRequest):
    """A one-time code of IT, and a name of the workstation for IT's list."""

    code: Annotated[str, Field(max_length=64, examples=["K7QM-2XRD-9TCB"])]
    machine: Annotated[str, Field(max_length=200, pattern=NO_NUL, examples=["HALL-PC-12"])]


@dataclass(frozen=True, slots=True)
class RecoverRequest(protocol.RecoverRequest):
    """A one-time code of `back-office device recovery-code`: the keyring of a workstation was lost.

    `device` is the one that asks: a code for another is refused and not used up.
    """

    code: Annotated[str, Field(max_length=64, examples=["K7QM-2XRD-9TCB"])]
    device: Annotated[str, Field(max_length=64, pattern=NO_NUL)] = ""


@dataclass(frozen=True, slots=True)
class SessionRequest(protocol.SessionRequest):
    """Who signs in at this workstation."""

    staff_no: Annotated[str, Field(max_length=64, pattern=NO_NUL, examples=["1024"])]
    password: Annotated[str, Field(max_length=1024)]


@dataclass(frozen=True, slots=True)
class CarryRequest(protocol.CarryRequest):
    """Another workstation's exported outbox, encrypted to the office and signed by its origin; base64."""

    envelope: Annotated[str, Field(max_length=MAX_ENVELOPE)]


@dataclass(frozen=True, slots=True)
class BlockRequest(protocol.BlockRequest):
    """Same `request_no`, same block: a lost answer is asked for again."""

    request_no: Annotated[Whole, within(0, LAST_REQUEST)]
    size: Annotated[Whole, within(1, MAX_BLOCK)] = 500
    kind: BlockKind = "case"


@dataclass(frozen=True, slots=True)
class CallRequest(protocol.CallRequest):
    """The next ticket for this window; the same `request_id` gets the same answer."""

    request_id: Id
    window: Name


@dataclass(frozen=True, slots=True)
class RecallRequest(protocol.RecallRequest):
    """Announce the ticket of this window once more; the same `request_id` gets the same answer."""

    request_id: Id
    ticket: Id
    window: Name


@dataclass(frozen=True, slots=True)
class IssueRequest(protocol.IssueRequest):
    """A new ticket of a series; the same `request_id` gets the same ticket."""

    request_id: Id
    series: Annotated[str, Field(max_length=64, pattern=NO_NUL, examples=["A"])]


@dataclass(frozen=True, slots=True)
class VoidTicketRequest(protocol.VoidTicketRequest):
    """Withdraw a ticket nobody has called; the same `request_id` gets the same answer."""

    request_id: Id
    reason: VoidReason
