"""The views on code lists, to join on `prospects`: one row a code, and every word it ever had."""

from __future__ import annotations

_ORIGIN = """{t}.citation, d.source_id, k.publisher, k.database_name, k.is_public_database,
  k.licence, {t}.delivery_id, d.published_at, d.retrieved_at, {t}.since_at"""
_DELIVERY = """LEFT JOIN delivery d ON d.delivery_id = {t}.delivery_id
LEFT JOIN source_cursor k ON k.source_id = d.source_id"""


def legal_forms(_: str) -> str:
    """Current words of each legal form, in the first language listed."""
    return f"""
SELECT f.code, f.local_name AS name, f.transliterated_name, f.language, f.abbreviations, f.country,
  f.jurisdiction, f.status,
  CASE WHEN f.local_name IS NULL THEN f.code ELSE f.local_name || ' (' || f.code || ')' END
    AS in_words,
  {_ORIGIN.format(t="f")}
FROM legal_form f
{_DELIVERY.format(t="f")}
WHERE f.until_at IS NULL AND f.place = 0
"""


def registration_authorities(_: str) -> str:
    """Current words of each register; the short name is ours, no list has it."""
    words = """COALESCE(s.short_name, a.local_name, a.international_name, a.local_organisation,
    a.international_organisation)"""
    return f"""
SELECT a.code, COALESCE(a.local_name, a.international_name) AS name, s.short_name, a.local_name,
  a.international_name, a.local_organisation, a.international_organisation, a.website, a.countries,
  a.jurisdictions,
  CASE WHEN {words} IS NULL THEN a.code ELSE {words} || ' (' || a.code || ')' END AS in_words,
  {_ORIGIN.format(t="a")}
FROM registration_authority a
LEFT JOIN registration_authority s ON s.code = a.code AND s.version = 0
{_DELIVERY.format(t="a")}
WHERE a.until_at IS NULL
"""


def code_words(_: str) -> str:
    """Every name a code has or had, in every language, with its dates and origin."""
    return """
SELECT 'legal_form' AS list, f.code, f.language, f.local_name AS name, f.transliterated_name,
  f.status, f.since_at, f.until_at, f.delivery_id, f.citation
FROM legal_form f
UNION ALL
SELECT 'registration_authority' AS list, a.code, 'und' AS language, a.local_name AS name,
  a.international_name AS transliterated_name, NULL AS status, a.since_at, a.until_at,
  a.delivery_id, a.citation
FROM registration_authority a
"""
