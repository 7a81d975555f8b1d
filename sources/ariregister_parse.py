"""The Estonian e-Business Register's open data on companies as frames: one zip with one JSON array.

Source: RIK, avaandmed.ariregister.rik.ee, ettevotja_rekvisiidid__yldandmed.json.zip.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.ariregister import AUTHORITY, HOME
from sources.kit import nested, register_days
from sources.kit.country_codes import alpha2
from sources.kit.json_blocks import BLOCK_BYTES
from sources.kit.json_shape import TEXT, Shape, paths
from sources.kit.register_files import json_frames as open_frames
from sources.kit.register_frame import (
    EMAIL,
    PHONE,
    WEBSITE,
    Points,
    RegisterFrame,
    address,
    coded,
    counted,
    ended_or,
    legal_form,
    register_frame,
    unknown_names,
    unlisted,
)
from sources.kit.register_rows import told_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sources.kit.frames import Prepared, Rows
    from sources.kit.json_rows import Parsed

KEY = "ariregistri_kood"
MAX_RATIO = 200.0
"""The real file unpacks to 20 times its size (September 2026), a bomb to a thousand."""
_WHOLE_ADDRESS = "aadress_ads__ads_normaliseeritud_taisaadress"
SHAPE: Shape = {
    KEY: TEXT,
    "nimi": TEXT,
    "yldandmed": {
        "esmaregistreerimise_kpv": TEXT,
        "kustutamise_kpv": TEXT,
        "staatus": TEXT,
        "oiguslik_vorm": TEXT,
        "aadressid": [
            {
                "riik": TEXT,
                "ehak_nimetus": TEXT,
                "tanav_maja_korter": TEXT,
                "postiindeks": TEXT,
                _WHOLE_ADDRESS: TEXT,
                "lopp_kpv": TEXT,
            }
        ],
        "sidevahendid": [{"liik": TEXT, "sisu": TEXT, "algus_kpv": TEXT, "lopp_kpv": TEXT}],
        "info_majandusaasta_aruannetest": [
            {"majandusaasta_perioodi_lopp_kpv": TEXT, "tootajate_arv": TEXT}
        ],
    },
}
NEEDED = (
    KEY,
    "nimi",
    "yldandmed",
    "yldandmed.staatus",
    "yldandmed.oiguslik_vorm",
    "yldandmed.sidevahendid[].liik",
    "yldandmed.sidevahendid[].sisu",
)
"""Without these a file is not of the published shape."""
_COUNTY = r",\s*[^,]+ maakond$"
"""The county after city and district: no part of a letter's address."""
KINDS = {"EMAIL": EMAIL, "TEL": PHONE, "MOB": PHONE, "WWW": WEBSITE}
"""What `liik` is in the house's words; FAX, TELEX, MUU (other) and such are dropped, counted."""

_NOT_NECESSARY = "not necessary for offering an LEI renewal (GDPR Art. 5(1)(c))"
IGNORED: tuple[tuple[str, str], ...] = (
    (
        (
            r"yldandmed\.(.+\.)?(kirje_id|kaardi_\w+|kande_\w+)|yldandmed\.(.+\[\]\.)?\w+_tekstina\w*|"
            r"yldandmed\.oiguslik_vorm_\w+"
        ),
        "the register's own numbering, and words for what is kept as a code",
    ),
    (
        r"yldandmed\.aadressid\[\]\.(ehak|algus_kpv|aadress_ads__(?!ads_normal)\w+)",
        "codes for what is kept in words; the current address has no end",
    ),
    (
        (
            r"yldandmed\.(arinimed|oiguslikud_vormid|staatused|kapitalid|majandusaastad|pohikirjad|"
            r"markused_kaardil|teatatud_tegevusalad)\b.*|"
            r"yldandmed\.info_majandusaasta_aruannetest\[\]\.(majandusaasta_perioodi_algus_kpv|"
            r"tegevusala_\w+)"
        ),
        f"histories and accounts: {_NOT_NECESSARY}",
    ),
    (
        (
            r"yldandmed\.(piirkond|evks_\w+|tegutseb|esitab_kasusaajad|lahknemisel_\w+|"
            r"asutatud_sissemakset_tegemata|loobunud_vorminouetest|on_raamatupidamiskohustuslane)"
        ),
        _NOT_NECESSARY,
    ),
)
"""(pattern of the whole path, why it is dropped before anything is stored)."""
_IGNORED = "|".join(f"(?:{pattern})" for pattern, _ in IGNORED)


def json_frames(
    path: Path, prepare: Callable[[RegisterFrame], Prepared], *, size: int = BLOCK_BYTES
) -> AbstractContextManager[tuple[str, Generator[Prepared]]]:
    """The bulk file as frames; see `sources.kit.register_files`."""
    return open_frames(path, SHAPE, KEY, frame_of, prepare, size=size, max_ratio=MAX_RATIO)


def unknown(names: frozenset[str]) -> list[str]:
    """Those of a frame's `names` that are neither kept nor listed as ignored."""
    return unknown_names(names, paths(SHAPE), _IGNORED)


def rows_of(
    path: Path, prepare: Callable[[RegisterFrame], Prepared]
) -> AbstractContextManager[Rows[Prepared]]:
    """Open the bulk file; see `sources.ariregister.rows_of`."""
    return told_rows(
        lambda noted: json_frames(path, noted), prepare, unknown=unknown, needed=NEEDED
    )


def frame_of(parsed: Parsed) -> RegisterFrame:
    """A block of companies as they stand in the bulk file."""
    rows = parsed.rows
    number = pc.replace_substring_regex(rows.field(KEY), r"[^0-9]+", "")
    deleted = register_days.iso(nested.child(rows, "yldandmed", "kustutamise_kpv"))
    stated = nested.child(rows, "yldandmed", "staatus")
    status = coded("ariregister", "statuses", stated)
    lines = _address(rows)
    found = {
        "source_key": number,
        "legal_name": rows.field("nimi"),
        **address("legal_", lines, HOME),
        **address("headquarters_", lines, HOME),
        "registration_authority": pa.repeat(AUTHORITY, len(rows)),
        "registration_number": number,
        "legal_jurisdiction": pa.repeat(HOME, len(rows)),
        **legal_form("ariregister", nested.child(rows, "yldandmed", "oiguslik_vorm")),
        "entity_status": ended_or(deleted, status),
        "creation_published": register_days.iso(
            nested.child(rows, "yldandmed", "esmaregistreerimise_kpv")
        ),
        "expiration_published": deleted,
    }
    points, dropped = _points(rows)
    dropped.update(unlisted(stated, status))
    frame = register_frame(found, points, parsed, home=HOME, dropped=dropped, names=parsed.names)
    return replace(frame, employees=partial(_employees, rows))


def _employees(rows: pa.StructArray) -> pa.Array:
    """How many the latest annual report counts (int64); null without one, or where it says none."""
    of, listed = nested.members(nested.child(rows, "yldandmed", "info_majandusaasta_aruannetest"))
    ends = register_days.iso(nested.child(listed, "majandusaasta_perioodi_lopp_kpv"))
    latest = pc.sort_indices(ends, sort_keys=[("", "descending")]).to_numpy()
    place = nested.first_of(len(rows), of[latest], np.ones(len(of), dtype=bool))
    texts = nested.child(listed, "tootajate_arv").take(pa.array(latest)).take(place)
    return counted(texts)


def _address(rows: pa.StructArray) -> dict[str, pa.Array]:
    """The first address without an end; its street, or the whole line where no street is given."""
    of, listed = nested.members(nested.child(rows, "yldandmed", "aadressid"))
    is_current = nested.is_true(pc.is_null(nested.filled(nested.child(listed, "lopp_kpv"))))
    current = listed.take(nested.first_of(len(rows), of, is_current))
    street = nested.filled(nested.child(current, "tanav_maja_korter"))
    return {
        "address_line": pc.coalesce(street, nested.child(current, _WHOLE_ADDRESS)),
        "postal_code": nested.child(current, "postiindeks"),
        "city": pc.replace_substring_regex(nested.child(current, "ehak_nimetus"), _COUNTY, ""),
        "country": alpha2(nested.child(current, "riik")),
    }


def _points(rows: pa.StructArray) -> tuple[list[Points], Counter[str]]:
    """Contact points of the kept kinds without an end: one that has an end is no longer valid."""
    of, listed = nested.members(nested.child(rows, "yldandmed", "sidevahendid"))
    since = register_days.days(register_days.iso(nested.child(listed, "algus_kpv")))
    has_ended = nested.is_true(pc.is_valid(nested.filled(nested.child(listed, "lopp_kpv"))))
    kinds, values = nested.child(listed, "liik"), nested.child(listed, "sisu")
    is_kept = nested.is_true(pc.is_in(kinds, value_set=pa.array(list(KINDS))))
    dropped = Counter(
        other_kind=int((~is_kept).sum()), no_longer_valid=int((is_kept & has_ended).sum())
    )
    points = []
    for theirs, ours in KINDS.items():
        places = np.flatnonzero(nested.is_true(pc.equal(kinds, theirs)) & ~has_ended)
        at = pa.array(places)
        points.append(Points(ours, of[places], values.take(at), since.take(at)))
    return points, dropped
