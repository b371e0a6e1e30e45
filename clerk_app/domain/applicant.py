"""Who applies: the person on the card, the body behind a credit code, the agent who stands at the window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from clerk_app.domain import masking


class DocumentKind(StrEnum):
    """Kinds of identity document, stored by name; national code tables are mapped at adapters."""

    RESIDENT_ID = "resident_id"  # 居民身份证 (GB 11643)
    RESIDENCE_PERMIT = "residence_permit"  # 港澳台居民居住证, 81/82/83
    FOREIGN_PR_2017 = "foreign_pr_2017"  # 外国人永久居留身份证, 3 letters + 12 digits
    FOREIGN_PR_2023 = "foreign_pr_2023"  # 外国人永久居留身份证, 18 digits from 9
    SOCIAL_SECURITY = "social_security"  # 社会保障卡 (LD/T 32): names its holder by the GB 11643 number
    PASSPORT = "passport"  # ICAO 9303 TD3
    MAINLAND_TRAVEL_PERMIT = "mainland_travel_permit"  # 港澳居民来往内地通行证, 台湾居民来往大陆通行证
    TRAVEL_DOCUMENT = "travel_document"  # any other ICAO 9303 TD1 document
    USCC = "uscc"  # 统一社会信用代码 (GB 32100)


class Sex(StrEnum):
    """GB/T 2261.1 by name."""

    UNKNOWN = "unknown"
    MALE = "male"
    FEMALE = "female"
    UNSPECIFIED = "unspecified"


class EntrySource(StrEnum):
    """How the identity reached us. A typed one is never shown as a read card."""

    CARD = "card"
    MRZ = "mrz"  # the machine-readable zone, check digits right; no chip was asked
    TYPED = "typed"


@dataclass(frozen=True, slots=True, repr=False)
class CardRecord:
    """What an identity card says, whatever driver read it. Personal data: never logged.

    `ethnicity` is a GB/T 3304 code of two digits or empty. `valid_until` is None on a long-term card (长期,
    `long_term` True) and on a card that bears no date. `photo` is the opaque WLT block; it is not stored
    unless the item needs it. `warnings` names oddities (failure codes) that do not stop the work.
    """

    kind: DocumentKind
    name: str
    number: str
    sex: Sex
    birth: date
    ethnicity: str = ""
    address: str = ""
    authority: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    long_term: bool = False
    latin_name: str = ""
    nationality: str = ""  # ISO 3166 alpha-3
    travel_permit: str = ""  # HK/Macao/Taiwan permits only
    issue_count: str = ""
    former_number: str = ""  # 2017 number a 2023 foreign card replaces
    warnings: tuple[str, ...] = ()
    photo: bytes | None = None

    def __repr__(self) -> str:
        """Masked: a representation ends in logs and crash reports."""
        return f"CardRecord({self.kind}, {masking.number(self.number)})"


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """A natural person in a case. Number in full: lives in the encrypted cache only."""

    name: str
    number: str
    kind: DocumentKind
    source: EntrySource
    sex: Sex = Sex.UNKNOWN
    birth: date | None = None
    ethnicity: str = ""
    address: str = ""
    valid_until: date | None = None
    long_term: bool = False
    typed_reason: str = ""  # why no card was read; required when source is TYPED
    warnings: tuple[str, ...] = ()  # oddities of the card (failure codes) the clerk must look at
    nationality: str = ""  # ISO 3166 alpha-3 or a code of ICAO 9303-3, where the document names one

    def __repr__(self) -> str:
        """Masked, as that of the card."""
        return f"Person({self.kind}, {masking.number(self.number)}, {self.source})"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A legal person: name and unified social credit code; who presents it is the agent."""

    name: str
    uscc: str


@dataclass(frozen=True, slots=True)
class Applicant:
    """The party the case is for, and the agent if somebody else stands at the window."""

    party: Person | Organisation
    agent: Person | None = None

    @property
    def name(self) -> str:
        return self.party.name

    @property
    def number(self) -> str:
        return self.party.uscc if isinstance(self.party, Organisation) else self.party.number


def person_from_card(record: CardRecord) -> Person:
    """The person a read card proves."""
    return Person(
        name=record.name,
        number=record.number,
        kind=record.kind,
        source=EntrySource.CARD,
        sex=record.sex,
        birth=record.birth,
        ethnicity=record.ethnicity,
        address=record.address,
        valid_until=record.valid_until,
        long_term=record.long_term,
        warnings=record.warnings,
        nationality=record.nationality,
    )


def age(birth: date, today: date) -> int:
    """Full years (民法典 counts the day after the birthday as reaching the age; the birthday itself here)."""
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
