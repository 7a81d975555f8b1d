"""Each row's notice, made from what is held on the company and what the owner decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from notices.compile import Notice, compile_notice, missing
from notices.context import NoticeContext, Transfer, ValueSource
from notices.elements import HOME_AUTHORITY
from notices.language import choose_language
from notices.vocabulary import FIELDS
from sources.kit.catalogue import catalogue
from sources.kit.countries import EEA_COUNTRIES
from warehouse.privacy.retention import policy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from flows.export_request import Decided
    from flows.settings import Settings
    from sources.kit.policy import Authority
    from warehouse.export_origins import Holding, Origin

LEGAL_BASIS = "6(1)(f)"
"""An assessment weighs the legitimate interest: GDPR art. 6(1)(f)."""

_UNNAMED = {"da": "[virksomhedens navn]", "en": "[the company's name]"}
"""What stands for the company where a notice is shown that is nobody's."""
_NO_KEY = "LEI"
_NO_TOKEN = "TOKEN"  # noqa: S105 (what stands for one)


class NoticeMaker:
    """Makes the notices of one list; what all of them share is gathered once."""

    def __init__(self, settings: Settings, decided: Decided, channel: str, issued_on: date) -> None:
        self._links = decided.links
        self._authorities = {row.country: row for row in settings.authority}
        self._of_companies = (policy(settings.retention, "company_public"),)
        self._with_persons = (*self._of_companies, policy(settings.retention, "person_public"))
        self._shared = NoticeContext(
            controller=decided.controller,
            purpose_text=dict(decided.purpose.text.items()),
            legal_basis=LEGAL_BASIS,
            interest_text=dict(decided.assessment.interest.items()),
            held=(),
            sources=(),
            recipients=(decided.recipient,),
            transfers=_transfers(settings, decided),
            retention=self._of_companies,
            authorities=(),
            company_name="",
            lei="",
            country="",
            channel=channel,
            languages=(),
            notice_id="",
            policy_version=decided.policy.version,
            issued_on=issued_on,
            notice_url="",
            is_example=settings.is_example,
        )

    def link(self, token: str) -> str:
        """The address printed on the letter that carries this token."""
        return f"{self._links.base_url}/u/{token}"

    def context(self, holding: Holding, notice_id: str, notice_url: str) -> NoticeContext:
        """Everything the notice to that company states.

        N6 and N15 name every value held on it, not only those that leave; who lives in whose
        country reads the authority of the headquarters' country first.
        """
        headquarters = holding.values["headquarters_country"] or ""
        sources = value_sources(holding.origins)
        return replace(
            self._shared,
            held=tuple(dict.fromkeys(source.field for source in sources)),
            sources=sources,
            retention=self._with_persons if holding.has_personal_values else self._of_companies,
            authorities=self._complaints_to(headquarters, holding.values["legal_country"] or ""),
            company_name=holding.values["legal_name"] or "",
            lei=holding.lei or "",
            country=headquarters,
            languages=choose_language(headquarters).languages,
            notice_id=notice_id,
            notice_url=notice_url,
        )

    def is_complete(self, headquarters: str, legal: str) -> bool:
        """Whether a notice to a company of these countries can say everything it must.

        Asked once a pair of countries, with a value whose origin is known; each row's own notice
        is judged again when it is made.
        """
        return not missing(
            replace(
                self._shared,
                held=("lei",),
                sources=(_known_origin(self.link(_NO_TOKEN), self._shared.issued_on),),
                authorities=self._complaints_to(headquarters, legal),
                company_name=_NO_KEY,
                lei=_NO_KEY,
                country=headquarters,
                languages=choose_language(headquarters).languages,
                notice_id=_NO_KEY,
                notice_url=self.link(_NO_TOKEN),
            )
        )

    def specimen(self, context: NoticeContext, export_id: str) -> Notice:
        """The list's wording in a row's languages, with nothing of that row's company in it."""
        unnamed = " / ".join(_UNNAMED[language] for language in context.languages)
        sources = (
            replace(source, record_url=_without_key(source.record_url))
            for source in context.sources
        )
        return compile_notice(
            replace(
                context,
                company_name=unnamed,
                lei="",
                sources=tuple(sources),
                notice_id=export_id,
                notice_url=self.link(_NO_TOKEN),
            )
        )

    def _complaints_to(self, *countries: str) -> tuple[Authority, ...]:
        """The authorities of these countries and Denmark's, each once, as far as they are known."""
        wanted = dict.fromkeys((*countries, HOME_AUTHORITY))
        return tuple(self._authorities[code] for code in wanted if code in self._authorities)


def value_sources(origins: Sequence[Origin]) -> tuple[ValueSource, ...]:
    """The origins as the notice lists them: one field for each word the reader knows.

    An address is many fields and one word. Of those that came with the same delivery the first
    stands for all; the text is the same, and a tenth as much is said twice.
    """
    return tuple(
        ValueSource(
            field=field,
            publisher=origin.publisher,
            database_name=origin.database_name,
            is_public_database=origin.is_public_database,
            licence=origin.licence,
            record_url=origin.record_url,
            published_at=origin.published_at,
            retrieved_at=origin.retrieved_at,
            delivery_sha256=origin.delivery_sha256,
        )
        for origin in origins
        for field in _one_a_word(origin.fields)
    )


def _one_a_word(fields: Sequence[str]) -> list[str]:
    first: dict[str, str] = {}
    for field in fields:
        first.setdefault(FIELDS.get(field, field), field)
    return list(first.values())


def _without_key(record_url: str) -> str:
    """A record's address with nothing in it of whose record it is."""
    for prefix, suffix in _around_keys():
        if record_url.startswith(prefix) and record_url.endswith(suffix):
            return f"{prefix}{_NO_KEY}{suffix}"
    parts = urlsplit(record_url)
    return f"{parts.scheme}://{parts.netloc}/"


@cache
def _around_keys() -> frozenset[tuple[str, str]]:
    """What stands before and after the key in the address of each source's records."""
    templates = (module.CARD.record_url_template for module in catalogue().values())
    parts = (template.partition("{key}") for template in templates)
    return frozenset((before, after) for before, _, after in parts)


def _known_origin(url: str, day: date | None) -> ValueSource:
    moment = datetime.combine(day, time(), UTC) if day else None
    return ValueSource("lei", _NO_KEY, _NO_KEY, True, _NO_KEY, url, moment, moment, _NO_KEY)  # noqa: FBT003 (is_public_database)


def _transfers(settings: Settings, decided: Decided) -> tuple[Transfer, ...]:
    """Where the data goes outside the EEA, and what safeguards it there (GDPR art. 44-49)."""
    recipient = decided.recipient
    places = [
        (recipient.name, recipient.country, recipient.transfer_basis),
        *((store.id, store.country, store.transfer_basis) for store in settings.store),
    ]
    return tuple(
        Transfer(name, country, basis or "")
        for name, country, basis in places
        if country not in EEA_COUNTRIES
    )
