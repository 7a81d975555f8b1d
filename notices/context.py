"""What a notice is made from: every fact it may state on one recipient, handed in by the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sources.kit.policy import Authority, Controller, Recipient, RetentionPolicy


@dataclass(frozen=True)
class ValueSource:
    """Where one value came from: a row of the `origins` view.

    `field` is a word of `sources.kit.columns` or a contact kind. Both moments are UTC;
    `published_at` is None where the publisher states no date. A missing `retrieved_at` is
    possible here so that `missing` can say so; no such row leaves the house.
    """

    field: str
    publisher: str
    database_name: str
    is_public_database: bool
    licence: str
    record_url: str
    published_at: datetime | None
    retrieved_at: datetime | None
    delivery_sha256: str


@dataclass(frozen=True)
class Transfer:
    """One transfer out of the EEA: to whom, where, and what safeguards it (GDPR art. 44-49)."""

    name: str
    country: str
    safeguard: str


@dataclass(frozen=True)
class NoticeContext:
    """Everything one notice states; None or blank means that we do not know it.

    `country` is the recipient's (ISO 3166-1), `languages` the notice's parts in their order,
    `legal_basis` the point of GDPR art. 6 as `6(1)(f)`. `held` names the fields actually held on
    this recipient. Empty `recipients` or `transfers` say that there are none, None that nobody
    looked. `retention` are the very rows that will delete the data.
    """

    controller: Controller | None
    purpose_text: Mapping[str, str]
    legal_basis: str
    interest_text: Mapping[str, str]
    held: tuple[str, ...]
    sources: tuple[ValueSource, ...]
    recipients: tuple[Recipient, ...] | None
    transfers: tuple[Transfer, ...] | None
    retention: tuple[RetentionPolicy, ...]
    authorities: tuple[Authority, ...]
    company_name: str
    lei: str
    country: str
    channel: str
    languages: tuple[str, ...]
    notice_id: str
    policy_version: str
    issued_on: date | None
    notice_url: str
    is_consent_used: bool = False
    is_decided_automatically: bool = False
    is_example: bool = False
