"""An export's candidates, streamed as Arrow frames in the order of their company ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import sqlalchemy as sa

from warehouse.schema import company, company_record, company_stop, contact_point, record
from warehouse.segment_conditions import conditions, of_companies, plan_for_all_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        *((f"headquarters_{name}", pa.string()) for name in ADDRESS),
    ]
)
"""One row a candidate. `is_stopped`: a stop is linked to the company; `is_protected` is the
register's marketing protection, null where no register told us."""


def candidates(connection: Connection, selection: Selection) -> Iterator[pa.Table]:
    """Every company of the selection, `SCHEMA`, at most `BATCH` rows a frame."""
    plan_for_all_rows(connection)
    streamed = connection.execution_options(stream_results=True, yield_per=BATCH)
    result = streamed.execute(_query(selection))
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


def _query(selection: Selection) -> sa.Select[tuple[object, ...]]:
    stopped = sa.select(company_stop.c.company_id).distinct().subquery()
    protection = _protection()
    joined = (
        of_companies()
        .outerjoin(stopped, stopped.c.company_id == company.c.company_id)
        .outerjoin(protection, protection.c.company_id == company.c.company_id)
    )
    return (
        sa.select(
            company.c.company_id,
            record.c.source_key,
            record.c.source_id,
            record.c.first_delivery_id,
            company.c.state,
            record.c.person_kind,
            record.c.legal_name,
            record.c.legal_country,
            record.c.headquarters_country,
            record.c.entity_status,
            record.c.lei_status,
            record.c.registration_authority,
            record.c.registration_number,
            stopped.c.company_id.is_not(None),
            sa.cast(protection.c.is_protected, sa.Boolean),
            *(record.c[f"headquarters_{name}"] for name in ADDRESS),
        )
        .select_from(joined)
        .where(*conditions(selection))
        .order_by(company.c.company_id)
    )


def _protection() -> sa.Subquery:
    """Each company's marketing protection: set by one register, it is set."""
    flag = sa.case(
        (contact_point.c.ad_protected.is_(True), 1), (contact_point.c.ad_protected.is_(False), 0)
    )
    return (
        sa.select(company_record.c.company_id, sa.func.max(flag).label("is_protected"))
        .join(contact_point, contact_point.c.record_id == company_record.c.record_id)
        .where(company_record.c.until_at.is_(None), contact_point.c.ad_protected.is_not(None))
        .group_by(company_record.c.company_id)
        .subquery()
    )
