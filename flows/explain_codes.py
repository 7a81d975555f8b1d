"""Codes of a company's values in words: Anpartsselskab (H8VP), CVR (RA000170)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse import read_codes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    Connection = Any  # only the warehouse names SQLAlchemy

FIELDS = frozenset({"legal_form", "registration_authority", "validation_authority"})


def put_words(
    connection: Connection, companies: Sequence[dict[str, Any]], moment: datetime | None
) -> None:
    """Give each value that is a code its `in_words`, as it was called then."""
    coded = [
        value
        for company in companies
        for value in company["values"]
        if value["field"] in FIELDS and value["value"] is not None
    ]
    if not coded:
        return
    names = read_codes.names(connection, (value["value"] for value in coded), moment)
    for value in coded:
        name = names.get(value["value"])
        if name:
            value["in_words"] = f"{name} ({value['value']})"
