"""The closed code lists of LEI-CDF 3.1 and ISO 3166-1 that arrival rules compare with."""

from __future__ import annotations

from sources.kit.countries import COUNTRY_CODES

ENTITY_STATUS = ("ACTIVE", "INACTIVE", "NULL")
"""`NULL` is the literal text that DUPLICATE and ANNULLED records carry."""

ENTITY_CATEGORY = (
    "GENERAL",
    "FUND",
    "BRANCH",
    "SOLE_PROPRIETOR",
    "RESIDENT_GOVERNMENT_ENTITY",
    "INTERNATIONAL_ORGANIZATION",
)

LEI_STATUS = (
    "ISSUED",
    "LAPSED",
    "ANNULLED",
    "PENDING_TRANSFER",
    "PENDING_ARCHIVAL",
    "DUPLICATE",
    "RETIRED",
    "MERGED",
)
"""RegistrationStatus; MERGED is a legacy value."""

EXPIRATION_REASON = ("DISSOLVED", "CORPORATE_ACTION", "OTHER")
VALIDATION_SOURCES = ("ENTITY_SUPPLIED_ONLY", "PARTIALLY_CORROBORATED", "FULLY_CORROBORATED")
CONFORMITY = ("CONFORMING", "NON_CONFORMING", "NOT_APPLICABLE")
COUNTRY = (*sorted(COUNTRY_CODES), "XK")
"""ISO 3166-1 alpha-2, and XK, the user-assigned code that registers use for Kosovo."""
