"""Datafordeler's CVR files by name: which are needed, and what is read and left out of each.

Source: Datafordeler, CVR register, file downloads per entity (CSV or JSON, Current or Temporal).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sources.kit.errors import DeliveryRefused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HOME, AUTHORITY = "DK", "RA000170"
"""The register's country, and GLEIF's code for it."""
UNIT = "unit"
"""Our name for CVREnhedsId, which is `id` in Virksomhed: what the files are joined on."""
PLACE = "place"
"""Our name for a row's byte offset in its member (int64)."""
ENDS = ("virkningTil", "registreringTil")
UNSTATED_FORM = "990"
"""Uoplyst virksomhedsform: a code that says nothing, least of all that it is no person."""
WITHHELD = "hemmelig"
"""The flag of what the register must not pass on; today's files have no such column."""
_ADDRESS_OPTIONAL = (
    "coNavn",
    "CVRAdresse_husnummerTil",
    "CVRAdresse_etagebetegnelse",
    "CVRAdresse_doerbetegnelse",
    "CVRAdresse_supplerendeBynavn",
    "CVRAdresse_postboks",
    "CVRAdresse_landekode",
    "CVRAdresse_adresseFritekst",
)


@dataclass(frozen=True)
class Entity:
    """One kind of file: its name in the publisher's listing, and the columns that are kept.

    `unit` is the column with the CVREnhedsId. What is `optional` may be missing from the file,
    and a file that `may_lack` from the delivery; `lacking` is what is then not known. `has_ends`
    is whether each row must say when it ended.
    """

    name: str
    kept: tuple[str, ...]
    optional: tuple[str, ...] = ()
    unit: str = "CVREnhedsId"
    lacking: str = ""
    has_ends: bool = True

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which the file cannot be read."""
        return (self.unit, *self.kept, *(ENDS if self.has_ends else ()))

    @property
    def read(self) -> tuple[str, ...]:
        """Every column that is read, where the file has it."""
        return (self.unit, *self.kept, *self.optional, *ENDS)

    @property
    def may_lack(self) -> bool:
        """Whether a delivery without this file is loaded."""
        return bool(self.lacking)


@dataclass(frozen=True)
class EntityFile:
    """Where an entity's rows are: the file at `path`, or `member` of the zip there."""

    path: Path
    member: str | None = None


COMPANY = Entity(
    "Virksomhed",
    ("CVRNummer", "status", "virksomhedStartdato"),
    ("virksomhedOphoersdato",),
    unit="id",
    # Readers of the file name no ends for it; where it has them, they count.
    has_ends=False,
)
NAME = Entity("Navn", ("vaerdi", "sekvens", "virkningFra"))
ADDRESS = Entity(
    "Adressering",
    (
        "AdresseringAnvendelse",
        "CVRAdresse_vejnavn",
        "CVRAdresse_husnummerFra",
        "CVRAdresse_postnummer",
        "CVRAdresse_postdistrikt",
    ),
    _ADDRESS_OPTIONAL,
)
EMAIL_ADDRESS = Entity("e-mailadresse", ("vaerdi", "virkningFra"), (WITHHELD,))
TELEPHONE = Entity("Telefonnummer", ("vaerdi", "virkningFra"), (WITHHELD,))
PROTECTION = Entity(
    "Reklamebeskyttelse",
    ("vaerdi",),
    lacking="who is protected from advertising is not known, so nothing of it can be exported",
)
FORM = Entity(
    "Virksomhedsform", ("vaerdi",), lacking="legal forms are not known, so any may be a person"
)
SITE = Entity(
    "Produktionsenhed",
    ("tilknyttetVirksomhedsCVRNummer",),
    unit="id",
    lacking="which production units are a company's is not known, nor what they are protected from",
)
ENTITIES = (COMPANY, NAME, ADDRESS, EMAIL_ADDRESS, TELEPHONE, PROTECTION, FORM, SITE)
NEEDED = tuple(entity.name for entity in ENTITIES if not entity.may_lack)
OPTIONAL = tuple(entity.name for entity in ENTITIES if entity.may_lack)
BY_NAME = {entity.name: entity for entity in ENTITIES}
MOST_MEMBERS = 32
"""Files in a zip that somebody made of several entities' files."""

IGNORED: tuple[tuple[str, str], ...] = (
    (
        (
            r"virkningFra|virkningsaktoer|registreringFra|registreringsaktoer|datafordeler\w+|"
            r"forretnings\w+|metadata\b.*|id_\w+|id|sekvens|vaerdiTekst|enhedstype|"
            r"pNummer|status|produktionsenhed\w+|tilknyttet\w+dato"
        ),
        "the register's own book-keeping, and words for what is kept as a code",
    ),
    (
        r"Adresse|CVRAdresse_(vejkode|kommunekode|kommunenavn|adresseId)",
        "codes of the address register; the address is kept in words",
    ),
)
"""(pattern of the whole column name, why it is dropped before anything is stored)."""


def check_complete(files: Iterable[str]) -> None:
    """Refuse a delivery that lacks a kind of file it needs, naming it."""
    missing = sorted({*NEEDED} - {*files})
    if missing:
        raise DeliveryRefused(
            "CVR delivery",
            f"files are missing: {', '.join(missing)}",
            "Nothing was loaded. See whether Datafordeler lists them this week",
        )
