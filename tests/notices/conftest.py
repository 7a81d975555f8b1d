"""One complete context on an invented company; a test takes away or changes what it looks at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from notices.context import NoticeContext, ValueSource
from sources.kit.policy import Authority, Controller, RetentionPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

HELD = (
    "lei",
    "legal_name",
    "headquarters_address_line",
    "headquarters_city",
    "headquarters_postal_code",
    "registration_number",
    "next_renewal_date",
)


def source(field: str, **changes: object) -> ValueSource:
    facts: dict[str, object] = {
        "publisher": "Global Legal Entity Identifier Foundation (GLEIF)",
        "database_name": "Global LEI Index",
        "is_public_database": True,
        "licence": "CC0 1.0",
        "record_url": "https://search.gleif.example/#/record/TEST00NORDLYS0000017",
        "published_at": datetime(2026, 11, 20, 16, tzinfo=UTC),
        "retrieved_at": datetime(2026, 11, 21, 6, 30, tzinfo=UTC),
        "delivery_sha256": "ab" * 32,
    }
    return ValueSource(field=field, **{**facts, **changes})  # type: ignore[arg-type]


@pytest.fixture
def make_source() -> Callable[..., ValueSource]:
    return source


@pytest.fixture
def company_policy() -> RetentionPolicy:
    return RetentionPolicy(
        id="company_public",
        person_category=4,
        data=("company_facts",),
        inactive_when=("lei_retired", "lei_merged", "vanished"),
        delete_after_inactive="P24M",
        notice_text="retention.company_public",
        citation="invented",
    )


@pytest.fixture
def context(company_policy: RetentionPolicy) -> NoticeContext:
    return NoticeContext(
        controller=Controller(
            name="Eksempel Register ApS",
            address="Prøvevej 1, 2630 Taastrup",
            country="DK",
            email="privatliv@example.test",
            registration_number="CVR 00000000",
        ),
        purpose_text={
            "da": "at tilbyde fornyelse af LEI-koder",
            "en": "offering renewal of LEIs",
        },
        legal_basis="6(1)(f)",
        interest_text={
            "da": "at gøre opmærksom på vores tjeneste",
            "en": "making our service known",
        },
        held=HELD,
        sources=tuple(source(field) for field in HELD),
        recipients=(),
        transfers=(),
        retention=(company_policy,),
        authorities=(
            Authority(
                country="DK",
                name="Datatilsynet",
                address="Carl Jacobsens Vej 35, 2500 Valby, Danmark",
                url="https://www.datatilsynet.dk",
            ),
        ),
        company_name="Nordlys Skibsbyggeri A/S",
        lei="TEST00NORDLYS0000017",
        country="DK",
        channel="post",
        languages=("da",),
        notice_id="N-17",
        policy_version="2026-11",
        issued_on=date(2026, 11, 22),
        notice_url="http://127.0.0.1:8000/u/TOKEN",
    )
