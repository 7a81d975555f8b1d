"""Before loading: every row of a frame against every rule, as verdict columns, vectorised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks import codes, lei
from sources.kit import tidy
from sources.kit.copy_text import bytes_of
from sources.kit.flat import flat, truths

if TYPE_CHECKING:
    from collections.abc import Sequence

Verdicts = dict[str, np.ndarray]

EARLIEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
"""Before any LEI: the system began in 2012, some issuers date their own codes earlier."""
_UNREADABLE = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\ufffd]"
_TAB, _SPACE, _DELETE, _FFFD = 0x09, 0x20, 0x7F, "\ufffd".encode()
_OPENS_FFFD = _FFFD[0]
_STEP = 256 * 1024
"""Bytes that stay in the processor's cache with what is found of them."""
_AT_ONCE = _STEP + len(_FFFD) - 1
_FORMULA = r"^\s*[=+\-@\t\r\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
"""What a spreadsheet would run, the full-width forms of = + - @ included (RE2 syntax)."""
_NEEDED_DATES = ("initial_registration", "last_update")
_DATES = ("initial_registration", "last_update", "next_renewal")


def judge_rows(table: pa.Table, texts: pa.Array) -> Verdicts:
    """One boolean array a row rule, `len(table)` long; True where the rule holds.

    `table` is a tidied frame (`sources.kit.tidy.with_moments`) with `source_key`, `texts` its
    rows' kept fields as one text each (`sources.kit.digest.canonical_texts`). `key_is_unique` is
    left True here: it is a rule on the whole delivery.
    """
    rows = table.num_rows
    formed = lei.well_formed(flat(table["source_key"]))
    return {
        "text_is_readable": readable(texts),
        "lei_is_well_formed": truths(formed),
        "lei_check_digits_hold": lei.check_digits_hold(flat(table["source_key"]), formed),
        "key_is_unique": np.ones(rows, dtype=bool),
        "legal_name_is_present": truths(present(table["legal_name"])),
        "entity_status_is_known": listed(table["entity_status"], codes.ENTITY_STATUS),
        "entity_category_is_known": listed(
            table["entity_category"], codes.ENTITY_CATEGORY, absent=True
        ),
        "lei_status_is_known": listed(table["lei_status"], codes.LEI_STATUS),
        "countries_are_known": listed(table["legal_country"], codes.COUNTRY)
        & listed(table["headquarters_country"], codes.COUNTRY, absent=True),
        "dates_are_readable": _dates_readable(table),
        "renewal_is_not_before_registration": _ordered(table),
        **_notes(table),
    }


def readable(texts: pa.Array) -> np.ndarray:
    """Which rows' texts are UTF-8 without control characters (bool).

    The bytes tell sooner than a pattern that there is nothing to find; most frames hold nothing.
    """
    raw = bytes_of(texts)
    if not any(_may_be_unreadable(raw[at : at + _AT_ONCE]) for at in range(0, len(raw), _STEP)):
        return np.ones(len(texts), dtype=bool)
    return ~truths(pc.match_substring_regex(texts, _UNREADABLE))


def _may_be_unreadable(raw: np.ndarray) -> bool:
    """Whether any of the bytes (uint8) is a control character, or U+FFFD (EF BF BD) stands there.

    Line ends inside values are written with a backslash (`sources.kit.copy_text`).
    """
    if ((raw < _SPACE) & (raw != _TAB)).any() or (raw == _DELETE).any():
        return True
    opens = np.flatnonzero(raw[:-2] == _OPENS_FFFD)
    return bool(((raw[opens + 1] == _FFFD[1]) & (raw[opens + 2] == _FFFD[2])).any())


def _notes(table: pa.Table) -> Verdicts:
    return {
        **common_notes(table),
        "entity_category_is_present": truths(pc.is_valid(table["entity_category"])),
        "region_fits_country": truths(
            or_absent(
                pc.equal(
                    pc.utf8_slice_codeunits(table["legal_region"], 0, 2), table["legal_country"]
                )
            )
        ),
        "legal_form_is_a_code": _matches(table["legal_form"], "^[0-9A-Z]{4}$"),
        "authority_is_a_code": _matches(table["registration_authority"], "^RA[0-9]{6}$"),
        "managing_lou_is_an_lei": lei.few_hold(table["managing_lou"]),
        "codes_are_listed": listed(table["conformity"], codes.CONFORMITY, absent=True)
        & listed(table["validation_sources"], codes.VALIDATION_SOURCES, absent=True)
        & listed(table["expiration_reason"], codes.EXPIRATION_REASON, absent=True),
    }


def common_notes(table: pa.Table) -> Verdicts:
    """Verdicts on what is odd about a company's record, whoever publishes it."""
    return {
        "creation_year_is_possible": _kept_date(table, "creation")
        & _kept_date(table, "expiration"),
        "headquarters_are_present": truths(
            pc.and_(pc.is_valid(table["headquarters_country"]), present(table["headquarters_city"]))
        ),
        "postal_code_is_present": truths(present(table["headquarters_postal_code"])),
        "name_starts_plainly": ~truths(
            pc.fill_null(pc.match_substring_regex(table["legal_name"], _FORMULA), False)  # noqa: FBT003 (pyarrow's signature)
        ),
    }


def present(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which texts say anything (bool)."""
    return pc.fill_null(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0), False)  # noqa: FBT003 (pyarrow's signature)


def or_absent(verdict: pa.ChunkedArray) -> pa.ChunkedArray:
    """The verdict, true where there was nothing to judge."""
    return pc.fill_null(verdict, True)  # noqa: FBT003 (pyarrow's signature)


def _matches(column: pa.ChunkedArray, pattern: str) -> np.ndarray:
    return truths(or_absent(pc.match_substring_regex(column, pattern)))


def listed(column: pa.ChunkedArray, values: Sequence[str], *, absent: bool = False) -> np.ndarray:
    """Which values are in the list, or `absent` (bool)."""
    found = pc.is_in(column, value_set=pa.array(values, pa.string()))
    return truths(pc.or_(found, pc.is_null(column)) if absent else found)


def _dates_readable(table: pa.Table) -> np.ndarray:
    verdict = np.ones(table.num_rows, dtype=bool)
    for stem in _DATES:
        moments = table[f"{stem}_at"]
        plausible = pc.and_(pc.greater_equal(moments, EARLIEST), pc.less(moments, tidy.LATEST))
        absent = pc.is_null(table[f"{stem}_published"])
        given = truths(pc.fill_null(plausible, False))  # noqa: FBT003 (pyarrow's signature)
        verdict &= given if stem in _NEEDED_DATES else given | truths(absent)
    return verdict


def _ordered(table: pa.Table) -> np.ndarray:
    ordered = pc.greater_equal(table["next_renewal_at"], table["initial_registration_at"])
    return truths(or_absent(ordered))


def _kept_date(table: pa.Table, stem: str) -> np.ndarray:
    published = truths(pc.is_valid(table[f"{stem}_published"]))
    kept: np.ndarray = ~(published & truths(pc.is_null(table[f"{stem}_at"])))
    return kept
