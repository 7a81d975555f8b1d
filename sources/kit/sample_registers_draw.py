"""From GLEIF's invented rows to the registers' entries: who stands where, under which number."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from datetime import date, timedelta

from sources.kit.sample_bundle import bundled_sample
from sources.kit.sample_draw import Mix
from sources.kit.sample_file import write_full
from sources.kit.sample_firm import REGISTERS, Firm, Register
from sources.kit.sample_lei import PREFIXES
from sources.kit.sample_registers_cases import arranged
from sources.kit.sample_registers_words import words

_HELD = 62
"""Companies of each issuer that the bundled sample may hold: numbers of later ones are free."""
_MORE = 16
"""Companies of each issuer beyond those: they are in a register and have no LEI."""
_SEED = 614
_MIX = Mix(
    countries={"NO": 40, "DK": 50, "EE": 40, "FI": 30},
    statuses=(1.0, 0, 0, 0, 0, 0, 0, 0),
    categories=(0.8, 0, 0, 0.2, 0, 0),
    trusts=0.0,
)
_CARE_OF = re.compile(r"^c/o [^,]+, ", re.IGNORECASE)
_HOUSE = re.compile(r"^(?P<street>.*?) (?P<house>\d.*)$")
_AUTHORITY = "Entity.RegistrationAuthority.RegistrationAuthority"
_LEGAL = "Entity.LegalAddress"
_SOLE = "SOLE_PROPRIETOR"
_TAKEN = {"GENERAL", "FUND", _SOLE}
_OLDEST = date(1995, 1, 2)

Row = dict[str, str]


def _rows(content: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def _without_lei(as_of: date) -> list[Row]:
    """Companies that the registers know and GLEIF does not, as rows whose LEI is to be ignored."""
    out = io.BytesIO()
    each = _HELD + _MORE
    write_full(out, each * len(PREFIXES), seed=_SEED, as_of=as_of, mix=_MIX)
    rows = [row for n, row in enumerate(_rows(out.getvalue())) if n % each >= _HELD]
    return [row | {"LEI": ""} for row in rows]


def drawn(as_of: date) -> dict[Register, tuple[Firm, ...]]:
    """Every register's entries on a day, in the order of their numbers."""
    registers = {
        code: register
        for register in REGISTERS
        for code in words()["form"][register]["authorities"]
    }
    found: dict[Register, dict[str, Firm]] = defaultdict(dict)
    for row in [*_rows(bundled_sample(as_of).csv), *_without_lei(as_of)]:
        register = registers.get(row[f"{_AUTHORITY}ID"])
        if register is None or not _is_wanted(row):
            continue
        firm = _firm(register, row)
        found[register].setdefault(firm.number, firm)  # a key that is repeated is one company
    return arranged({register: list(found[register].values()) for register in REGISTERS}, as_of)


def _is_wanted(row: Row) -> bool:
    return bool(row[f"{_AUTHORITY}EntityID"]) and row["Entity.EntityCategory"] in _TAKEN


def _firm(register: Register, row: Row) -> Firm:
    """The entry of a row's company, without contact points yet."""
    words_of = words()["form"][register]
    form, text = words_of["by_elf"].get(
        row["Entity.LegalForm.EntityLegalFormCode"], words_of["other"]
    )
    line = _CARE_OF.sub("", row[f"{_LEGAL}.FirstAddressLine"])
    parts = _HOUSE.match(line)
    number = row[f"{_AUTHORITY}EntityID"]
    return Firm(
        register=register,
        number=number.replace(" ", ""),
        name=row["Entity.LegalName"],
        form=form,
        form_text=text,
        is_person=form == words_of["sole"],
        street=parts["street"] if parts else line,
        house=parts["house"] if parts else "",
        postal_code=row[f"{_LEGAL}.PostalCode"],
        city=row[f"{_LEGAL}.City"],
        registered=_registered(row),
        lei=row["LEI"] or None,
    )


def _registered(row: Row) -> date:
    """When the company was registered: its creation where that is a day in our time."""
    created = row["Entity.EntityCreationDate"][:10]
    is_plain = created and created < row["Registration.InitialRegistrationDate"][:10]
    day = date.fromisoformat(created) if is_plain else _OLDEST
    return max(day, _OLDEST) + timedelta(days=1)
