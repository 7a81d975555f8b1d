"""PRH's YTJ open data on companies as frames: the bulk zip of one JSON array, and pages of the API.

Source: Patentti- ja rekisterihallitus, avoindata.prh.fi, opendata-ytj-api v3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.kit import nested, register_days
from sources.kit.json_blocks import BLOCK_BYTES
from sources.kit.json_shape import TEXT, Shape, paths
from sources.kit.register_files import json_frames as open_frames
from sources.kit.register_frame import (
    WEBSITE,
    Points,
    RegisterFrame,
    address,
    coded,
    either,
    ended_or,
    legal_form,
    register_frame,
    unknown_names,
    unlisted,
)
from sources.kit.register_rows import told_rows
from sources.prh import AUTHORITY, HOME

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sources.kit.frames import Origin, Prepared, Rows
    from sources.kit.json_rows import Parsed

KEY = "businessId"
MAX_RATIO = 200.0
"""The real file unpacks to 15 times its size (July 2026), a bomb to a thousand."""
FINNISH = "1"
"""Of the language codes of names of places and forms: 1 Finnish, 2 Swedish, 3 English."""
LEGAL_NAME = "1"
"""Of the kinds of names: the company's own; the others are parallel and auxiliary ones."""
VISITING, POSTAL = "1", "2"
TRADE_REGISTER = "1"
"""Of the registers in which a company can be entered."""
SHAPE: Shape = {
    KEY: {"value": TEXT},
    "names": [{"name": TEXT, "type": TEXT, "registrationDate": TEXT, "endDate": TEXT}],
    "companyForms": [{"type": TEXT, "registrationDate": TEXT, "endDate": TEXT}],
    "addresses": [
        {
            "type": TEXT,
            "co": TEXT,
            "street": TEXT,
            "buildingNumber": TEXT,
            "entrance": TEXT,
            "apartmentNumber": TEXT,
            "apartmentIdSuffix": TEXT,
            "postOfficeBox": TEXT,
            "freeAddressLine": TEXT,
            "postCode": TEXT,
            "postOffices": [{"city": TEXT, "languageCode": TEXT}],
            "country": TEXT,
            "endDate": TEXT,
        }
    ],
    "website": {"url": TEXT, "registrationDate": TEXT, "endDate": TEXT},
    "registeredEntries": [
        {"type": TEXT, "register": TEXT, "registrationDate": TEXT, "endDate": TEXT}
    ],
    "tradeRegisterStatus": TEXT,
    "registrationDate": TEXT,
    "endDate": TEXT,
    "lastModified": TEXT,
}
NEEDED = (
    "businessId.value",
    "names[].name",
    "names[].type",
    "companyForms[].type",
    "addresses[].type",
    "website.url",
)
"""Without these a file is not of the published shape."""

_NOT_NECESSARY = "not necessary for offering an LEI renewal (GDPR Art. 5(1)(c))"
IGNORED: tuple[tuple[str, str], ...] = (
    (
        r"(.+\.)?(version|source|authority)|.+\.descriptions\[\]\..+|businessId\.registrationDate",
        "the register's own book-keeping, and words for what is kept as a code",
    ),
    (r"euId\..+", "made of the business ID"),
    (r"(mainBusinessLine|companySituations)\b.*", _NOT_NECESSARY),
    (
        r"addresses\[\]\.(postOffices\[\]\.municipalityCode|registrationDate|endDate\w+)",
        _NOT_NECESSARY,
    ),
    (r"status", "of the business ID, the same for all; tradeRegisterStatus and endDate tell"),
)
"""(pattern of the whole path, why it is dropped before anything is stored)."""
_IGNORED = "|".join(f"(?:{pattern})" for pattern, _ in IGNORED)


def json_frames(
    path: Path, prepare: Callable[[RegisterFrame], Prepared], *, size: int = BLOCK_BYTES
) -> AbstractContextManager[tuple[str, Generator[Prepared]]]:
    """The bulk file `/all_companies` as frames; see `sources.kit.register_files`."""
    return open_frames(path, SHAPE, KEY, frame_of, prepare, size=size, max_ratio=MAX_RATIO)


def unknown(names: frozenset[str]) -> list[str]:
    """Those of a frame's `names` that are neither kept nor listed as ignored."""
    return unknown_names(names, paths(SHAPE), _IGNORED)


def rows_of(
    path: Path, prepare: Callable[[RegisterFrame], Prepared]
) -> AbstractContextManager[Rows[Prepared]]:
    """Open the bulk file; see `sources.prh.rows_of`."""
    return told_rows(
        lambda noted: json_frames(path, noted), prepare, unknown=unknown, needed=NEEDED
    )


def frame_of(parsed: Parsed) -> RegisterFrame:
    """A block of companies as they stand in the bulk file."""
    return frame_of_rows(parsed.rows, parsed, parsed.names)


def frame_of_rows(rows: pa.StructArray, origin: Origin, names: frozenset[str]) -> RegisterFrame:
    """Companies (structs of `SHAPE`) in the house's words."""
    number = nested.filled(nested.child(rows, KEY, "value"))
    visiting, postal = _addresses(rows)
    form = _latest(rows, "companyForms")
    stated = _status(rows)
    status = coded("prh", "statuses", stated)
    found = {
        "source_key": number,
        "legal_name": nested.child(_latest(rows, "names", type=LEGAL_NAME), "name"),
        **address("legal_", either(visiting, postal), HOME),
        # Letters go to the headquarters address: where the register has a postal one, there.
        **address("headquarters_", either(postal, visiting), HOME),
        "registration_authority": pa.repeat(AUTHORITY, len(rows)),
        "registration_number": number,
        "legal_jurisdiction": pa.repeat(HOME, len(rows)),
        **legal_form("prh", nested.child(form, "type")),
        "entity_status": ended_or(rows.field("endDate"), status),
        "creation_published": rows.field("registrationDate"),
        "expiration_published": rows.field("endDate"),
        "last_update_published": rows.field("lastModified"),
    }
    website, ended = _website(rows)
    dropped = {"no_longer_valid": ended, **unlisted(stated, status)}
    return register_frame(found, [website], origin, home=HOME, dropped=dropped, names=names)


def _website(rows: pa.StructArray) -> tuple[Points, int]:
    """The websites without an end, and how many had one: they are no longer valid."""
    has_ended = nested.is_true(pc.is_valid(nested.filled(nested.child(rows, "website", "endDate"))))
    places = np.flatnonzero(~has_ended)
    at = pa.array(places)
    since = register_days.days(nested.filled(nested.child(rows, "website", "registrationDate")))
    urls = nested.child(rows, "website", "url")
    return Points(WEBSITE, places, urls.take(at), since.take(at)), int(has_ended.sum())


def _is_current(listed: pa.StructArray) -> np.ndarray:
    return nested.is_true(pc.is_null(nested.filled(nested.child(listed, "endDate"))))


def _latest(rows: pa.StructArray, name: str, **only: str) -> pa.StructArray:
    """The member of a list without an end that was registered last, else the one that ended last.

    `only` says which value a field has in the members that count. Of a company that has ceased its
    names and forms have ended as well.
    """
    of, listed = nested.members(nested.child(rows, name))
    wanted = np.ones(len(of), dtype=bool)
    for field, value in only.items():
        wanted &= nested.is_true(pc.equal(nested.child(listed, field), value))
    since = pc.fill_null(nested.child(listed, "registrationDate"), "")
    end = nested.filled(nested.child(listed, "endDate"))
    # The sign ~ is behind every digit, so that what has no end is behind every day.
    rank = pc.coalesce(end, pc.binary_join_element_wise("~", since, ""))
    newest = pc.sort_indices(rank, sort_keys=[("", "descending")]).to_numpy()
    place = nested.first_of(len(rows), of[newest], wanted[newest])
    return listed.take(pa.array(newest)).take(place)


def _status(rows: pa.StructArray) -> pa.Array:
    """What the trade register says of the company, or its open entry there where that is left out.

    Both are of one code list.
    """
    stated = nested.filled(rows.field("tradeRegisterStatus"))
    entry = _latest(rows, "registeredEntries", register=TRADE_REGISTER)
    is_open = pc.is_null(nested.filled(nested.child(entry, "endDate")))
    entered = pc.if_else(is_open, nested.child(entry, "type"), pa.scalar(None, pa.string()))
    return pc.coalesce(stated, entered)


def _addresses(rows: pa.StructArray) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """The current visiting and the current postal address."""
    of, listed = nested.members(nested.child(rows, "addresses"))
    kinds, current = nested.child(listed, "type"), _is_current(listed)
    columns = _address_columns(listed)
    both = []
    for kind in (VISITING, POSTAL):
        wanted = current & nested.is_true(pc.equal(kinds, kind))
        place = nested.first_of(len(rows), of, wanted)
        both.append({name: column.take(place) for name, column in columns.items()})
    return both[0], both[1]


def _address_columns(listed: pa.StructArray) -> dict[str, pa.Array]:
    """Each listed address in the house's words; a box stands as `PL 100`, Finland's own writing."""

    def part(name: str) -> pa.Array:
        return nested.filled(nested.child(listed, name))

    box = pc.binary_join_element_wise("PL", part("postOfficeBox"), " ")
    street = nested.words(
        part("street"),
        part("buildingNumber"),
        part("entrance"),
        part("apartmentNumber"),
        part("apartmentIdSuffix"),
    )
    line = pc.coalesce(street, box, part("freeAddressLine"))
    beside = pc.if_else(pc.is_valid(street), box, pa.scalar(None, pa.string()))
    care_of = pc.binary_join_element_wise("c/o", part("co"), " ")
    return {
        "address_line": line,
        "address_line_1": beside,
        "address_line_2": care_of,
        "postal_code": part("postCode"),
        "city": _city(listed),
        "country": part("country"),
    }


def _city(listed: pa.StructArray) -> pa.Array:
    """The post office in Finnish, else the first one named."""
    of, offices = nested.members(nested.child(listed, "postOffices"))
    names = nested.child(offices, "city")
    finnish = nested.is_true(pc.equal(nested.child(offices, "languageCode"), FINNISH))
    every = np.ones(len(of), dtype=bool)
    return pc.coalesce(
        *(names.take(nested.first_of(len(listed), of, wanted)) for wanted in (finnish, every))
    )
