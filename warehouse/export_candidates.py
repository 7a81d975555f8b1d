"""An export's candidates, streamed as Arrow frames in the order of their company ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import sqlalchemy as sa

from warehouse.export_flags import beside, flags
from warehouse.read_company import LEI_SOURCE
from warehouse.schema import company, company_stop, record
from warehouse.segment_conditions import conditions, of_companies, plan_for_all_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from warehouse.segments import Selection

BATCH = 20_000

ADDRESS = (
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
)
"""Fields of the headquarters address beside its country; care-of parts are in no record."""

SCHEMA = pa.schema(
    [
        ("company_id", pa.int64()),
        ("lei", pa.string()),
        ("source_id", pa.string()),
        ("first_delivery_id", pa.int64()),
        ("state", pa.string()),
        ("person_kind", pa.string()),
        ("legal_name", pa.string()),
        ("legal_country", pa.string()),
        ("headquarters_country", pa.string()),
        ("entity_status", pa.string()),
        ("lei_status", pa.string()),
        ("registration_authority", pa.string()),
        ("registration_number", pa.string()),
        ("is_stopped", pa.bool_()),
        ("is_protected", pa.bool_()),
        ("cleared_by", pa.string()),
        ("has_ceased", pa.bool_()),
        *((f"headquarters_{name}", pa.string()) for name in ADDRESS),
    ]
)
"""One row a candidate, with what the record that `prospects` shows says; `lei` is null without one.

`is_stopped`: a stop is linked to the company. `is_protected`: a register says that it is protected
from marketing, null where none says anything; `cleared_by`: the sources that say it is not, comma
separated, those alone whose word is young enough. `has_ceased`: a register says that it is
no more. `person_kind` is the strictest of what its records say.
"""


def candidates(
    connection: Connection,
    selection: Selection,
    fresh_since: Mapping[str, datetime] | None = None,
) -> Iterator[pa.Table]:
    """Every company of the selection, `SCHEMA`, at most `BATCH` rows a frame.

    `fresh_since`: from when on a source's word that a company is not protected counts; None takes
    it at any age.
    """
    plan_for_all_rows(connection)
    streamed = connection.execution_options(stream_results=True, yield_per=BATCH)
    result = streamed.execute(_query(selection, fresh_since))
    try:
        for rows in result.partitions():
            values = zip(*rows, strict=True)
            arrays = [
                pa.array(column, type=field.type)
                for column, field in zip(values, SCHEMA, strict=True)
            ]
            yield pa.Table.from_arrays(arrays, schema=SCHEMA)
    finally:
        result.close()


def _query(
    selection: Selection, fresh_since: Mapping[str, datetime] | None
) -> sa.Select[tuple[object, ...]]:
    stopped = sa.select(company_stop.c.company_id).distinct().subquery()
    protection, others = flags(fresh_since).subquery(), beside(selection.registers).subquery()
    joined = (
        of_companies()
        .outerjoin(stopped, stopped.c.company_id == company.c.company_id)
        .outerjoin(protection, protection.c.company_id == company.c.company_id)
        .outerjoin(others, others.c.company_id == company.c.company_id)
    )
    return (
        sa.select(
            company.c.company_id,
            sa.case((record.c.source_id == LEI_SOURCE, record.c.source_key)),
            record.c.source_id,
            record.c.first_delivery_id,
            company.c.state,
            _strictest_kind(others),
            record.c.legal_name,
            record.c.legal_country,
            record.c.headquarters_country,
            record.c.entity_status,
            record.c.lei_status,
            record.c.registration_authority,
            record.c.registration_number,
            stopped.c.company_id.is_not(None),
            sa.cast(protection.c.is_protected, sa.Boolean),
            protection.c.cleared_by,
            sa.func.coalesce(others.c.has_ceased == 1, sa.false()),
            *(record.c[f"headquarters_{name}"] for name in ADDRESS),
        )
        .select_from(joined)
        .where(*conditions(selection))
        .order_by(company.c.company_id)
    )


def _strictest_kind(others: sa.Subquery) -> sa.ColumnElement[str]:
    """Whom the company is by whichever of its records is the most careful."""
    return sa.case(
        (others.c.is_natural == 1, "natural"),
        (record.c.person_kind == "natural", "natural"),
        (others.c.is_possible == 1, "possible"),
        else_=record.c.person_kind,
    )
