"""Views of group structure: relationships, reporting exceptions, and where each value is from."""

from __future__ import annotations

from sources.kit.columns import change_name
from sources.kit.shapes import EXCEPTION, RELATIONSHIP
from warehouse.schema import corrections

_PLACE = """replace(k.record_url_template, '{key}', r.start_lei) AS record_url,
  d.delivery_id, d.sha256 AS delivery_sha256, d.published_at, d.retrieved_at"""
_ORIGIN = f"""k.source_id, k.publisher, k.database_name, k.is_public_database, k.licence,
  {_PLACE}"""
_IS_CORRECTED = """EXISTS (SELECT 1 FROM correction x
    LEFT JOIN change h ON h.record_id = x.record_id AND h.source_key = x.source_key
      AND h.field = x.field AND h.is_current = {true}
    WHERE x.record_id = r.record_id AND x.source_key = r.source_key
      AND x.delivery_id = COALESCE(h.delivery_id, r.first_delivery_id)) AS is_corrected"""
"""Whether a value of the row is no publisher's; `group_origins` says which."""
_SEEN = """f.retrieved_at AS first_seen_at,
  CASE WHEN r.absent_count = 0 AND r.retracted_published IS NULL
    AND k.last_seen_at > d.retrieved_at THEN k.last_seen_at ELSE d.retrieved_at END
    AS last_seen_at"""
_FROM = """FROM record r
JOIN delivery f ON f.delivery_id = r.first_delivery_id
JOIN delivery d ON d.delivery_id = r.last_delivery_id
JOIN source_cursor k ON k.source_id = r.source_id
WHERE r.start_lei IS NOT NULL"""
_TRUE = {"sqlite": "1", "postgresql": "true"}
_FALSE = {"sqlite": "0", "postgresql": "false"}
_RETRACTED = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%SZ', r.retracted_at, 'unixepoch')",
    "postgresql": "to_timestamp(r.retracted_at)",
}


def corrected(place: str, false: str) -> str:
    """A value's origin, with `x` its correction if it has one.

    What is corrected is claimed by no publisher; its record's address is where to compare it.
    """
    stated = place.replace(
        "d.published_at", "CASE WHEN x.field IS NULL THEN d.published_at END AS published_at"
    )
    return f"""CASE WHEN x.field IS NULL THEN k.source_id ELSE '{corrections.SOURCE_ID}' END
    AS source_id,
  CASE WHEN x.field IS NULL THEN k.publisher ELSE x.corrected_by END AS publisher,
  CASE WHEN x.field IS NULL THEN k.database_name ELSE '{corrections.DATABASE_NAME}' END
    AS database_name,
  CASE WHEN x.field IS NULL THEN k.is_public_database ELSE {false} END AS is_public_database,
  CASE WHEN x.field IS NULL THEN k.licence ELSE '{corrections.LICENCE}' END AS licence,
  {stated}"""


def relationships(dialect: str) -> str:
    """One row a relationship, retracted and vanished ones included; both LEIs reach an index."""
    return f"""
SELECT r.start_lei, r.relationship_type, r.end_lei, r.relationship_status,
  r.relationship_start_date, r.relationship_end_date, r.relationship_periods,
  r.relationship_qualifiers, r.relationship_quantifiers, r.registration_status,
  r.initial_registration_date, r.next_renewal_date, r.managing_lou, r.validation_sources,
  {_ORIGIN},
  {_SEEN},
  {_RETRACTED[dialect]} AS retracted_at, r.vanished_at,
  {_IS_CORRECTED.format(true=_TRUE[dialect])}
{_FROM} AND r.relationship_type IS NOT NULL
"""


def reporting_exceptions(dialect: str) -> str:
    """One row a reporting exception: which parent an entity does not report, and why."""
    return f"""
SELECT r.start_lei AS lei, r.exception_category, r.exception_reasons, r.exception_references,
  {_ORIGIN},
  {_SEEN},
  {_RETRACTED[dialect]} AS retracted_at, r.vanished_at,
  {_IS_CORRECTED.format(true=_TRUE[dialect])}
{_FROM} AND r.exception_category IS NOT NULL
"""


def group_origins(dialect: str) -> str:
    """One plain select a field, as `origins` has them: an LEI reaches the index."""
    true, false = _TRUE[dialect], _FALSE[dialect]
    fields = dict.fromkeys((*RELATIONSHIP.published, *EXCEPTION.published))
    return "\nUNION ALL\n".join(
        f"""SELECT r.start_lei AS lei, r.source_key, '{change_name(held)}' AS field,
  {corrected(_PLACE, false)}, d.retrieved_at AS first_seen_at,
  CASE WHEN x.field IS NULL AND r.absent_count = 0 AND r.retracted_published IS NULL
    AND k.last_seen_at > d.retrieved_at THEN k.last_seen_at ELSE d.retrieved_at END
    AS last_seen_at
FROM record r
LEFT JOIN change h ON h.record_id = r.record_id AND h.source_key = r.source_key
  AND h.field = '{change_name(held)}' AND h.is_current = {true}
JOIN delivery d ON d.delivery_id = COALESCE(h.delivery_id, r.first_delivery_id)
LEFT JOIN correction x ON x.record_id = r.record_id AND x.source_key = r.source_key
  AND x.field = '{change_name(held)}' AND x.delivery_id = d.delivery_id
JOIN source_cursor k ON k.source_id = r.source_id
WHERE r.start_lei IS NOT NULL AND r.{held} IS NOT NULL"""
        for held in fields
    )


def group_changes(_: str) -> str:
    """What changed in group structure, being retracted and coming back included."""
    return """
SELECT r.start_lei AS lei, r.source_id, r.source_key, h.field, h.old_value, h.new_value,
  h.delivery_id, h.changed_at
FROM change h
JOIN record r ON r.record_id = h.record_id AND r.source_key = h.source_key
WHERE r.start_lei IS NOT NULL
"""
