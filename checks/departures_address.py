"""A candidate's headquarters address, from the fields of its frame to the notices' words."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from notices.address import PostalAddress, lay_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

_PREFIX = "headquarters_"
_FIELDS = (
    "mail_routing",
    "address_line",
    "address_number",
    "address_number_within_building",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "city",
    "region",
    "postal_code",
    "country",
)
_NO_WORD = re.compile(r"[\W_]+")
_DIGEST_BYTES = 16


def postal_addresses(frame: pa.Table) -> list[PostalAddress]:
    """Each row's headquarters address, addressed to its legal name."""
    names = ("legal_name", *(f"{_PREFIX}{field}" for field in _FIELDS))
    columns = (frame[name].to_pylist() for name in names)
    rows = (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))
    return [postal_address(row) for row in rows]


def postal_address(values: Mapping[str, str | None]) -> PostalAddress:
    """One record's headquarters address; absent values are empty, care-of parts in no record.

    Lines stand as registers fill them: mail routing, the first line with house number and unit
    where these are given apart from it (LEI-CDF 3.1, AddressNumber), the additional lines.
    """
    held = {field: values.get(f"{_PREFIX}{field}") or "" for field in _FIELDS}
    street = _with_number(held["address_line"], held["address_number"], " ")
    street = _with_number(street, held["address_number_within_building"], ", ")
    more = (held[f"address_line_{n}"] for n in (1, 2, 3))
    return PostalAddress(
        name=values.get("legal_name") or "",
        lines=(held["mail_routing"], street, *more),
        city=held["city"],
        region=held["region"],
        postal_code=held["postal_code"],
        country=held["country"],
    )


def _with_number(line: str, number: str, separator: str) -> str:
    """Return the line with the number behind it, unless it holds it already."""
    said = _NO_WORD.split(line.casefold())
    wanted = [word for word in _NO_WORD.split(number.casefold()) if word]
    if not wanted or all(word in said for word in wanted):
        return line
    return f"{line}{separator}{number}" if line else number


def address_key(address: PostalAddress) -> bytes:
    """A digest that two addresses share when they are laid out alike, whoever lives there.

    Case, punctuation and spaces make no difference; nothing else is guessed.
    """
    lines = lay_out(replace(address, name=""), address.country)
    words = " ".join(_NO_WORD.sub(" ", line.casefold()).strip() for line in lines)
    text = f"{address.country}\n{words}"
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
