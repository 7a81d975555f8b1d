"""A warehouse with invented companies, letters sent to them, and the portal on a real socket."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from notices.compile import compile_notice
from notices.context import NoticeContext, ValueSource
from notices.tokens import make_token, token_digest
from portal import serve
from portal.app import make_app
from sources.kit.policy import Authority, Controller, RetentionPolicy
from warehouse import migrate, schema
from warehouse.engine import open_warehouse, reading, writing

MOMENT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
OLD_KEY, NEW_KEY = b"o" * 32, b"n" * 32
NAME = "Nordlys Skibsbyggeri A/S"
LEI = "TEST00NORDLYS0000017"
CONTROLLER = Controller(
    name="Eksempel Register ApS",
    address="Prøvevej 1, 2630 Taastrup",
    country="DK",
    email="privatliv@example.test",
    registration_number="CVR 00000000",
)
HELD = (
    "lei",
    "legal_name",
    "headquarters_address_line",
    "headquarters_city",
    "headquarters_postal_code",
    "registration_number",
    "next_renewal_date",
)


def notice_page(languages: str, name: str = NAME) -> str:
    """A real notice about an invented company, as the export stores it."""
    context = NoticeContext(
        controller=CONTROLLER,
        purpose_text={"da": "at tilbyde fornyelse af LEI-koder", "en": "offering LEI renewal"},
        legal_basis="6(1)(f)",
        interest_text={"da": "at gøre os kendt", "en": "making our service known"},
        held=HELD,
        sources=tuple(
            ValueSource(
                field=each,
                publisher="Global Legal Entity Identifier Foundation (GLEIF)",
                database_name="Global LEI Index",
                is_public_database=True,
                licence="CC0 1.0",
                record_url=f"https://search.gleif.example/#/record/{LEI}",
                published_at=MOMENT,
                retrieved_at=MOMENT,
                delivery_sha256="ab" * 32,
            )
            for each in HELD
        ),
        recipients=(),
        transfers=(),
        retention=(
            RetentionPolicy(
                id="company_public",
                person_category=4,
                data=("company_facts",),
                inactive_when=("lei_retired", "lei_merged", "vanished"),
                delete_after_inactive="P24M",
                notice_text="retention.company_public",
                citation="invented",
            ),
        ),
        authorities=(
            Authority(
                country="DK",
                name="Datatilsynet",
                address="Carl Jacobsens Vej 35, 2500 Valby, Danmark",
                url="https://www.datatilsynet.dk",
            ),
        ),
        company_name=name,
        lei=LEI,
        country="DK",
        channel="post",
        languages=tuple(languages.split("+")),
        notice_id="N-17",
        policy_version="2026-11",
        issued_on=date(2026, 11, 22),
        notice_url="http://127.0.0.1:8000/u/TOKEN",
    )
    return compile_notice(context).full_html


@dataclass
class PostOffice:
    """Puts companies and letters into a warehouse, and looks at what became of them."""

    engine: Any
    sent: int = 0
    tokens: list[str] = field(default_factory=list)

    def open(self) -> None:
        with writing(self.engine) as connection:
            run = {"run_id": 1, "flow": "export", "state": "done", "actor": "tester"}
            connection.execute(schema.run.insert().values(**run, started_at=MOMENT))
            texts = ("directory", "segment", "channel", "purpose", "recipient", "actor", "manifest")
            export = dict.fromkeys(texts, "invented")
            connection.execute(
                schema.export.insert().values(
                    **export, export_id="E1", state="published", created_at=MOMENT, run_id=1
                )
            )
            delivery = {"delivery_id": 1, "source_id": "gleif", "kind": "full", "run_id": 1}
            connection.execute(
                schema.delivery.insert().values(
                    **delivery,
                    url="https://example.test/",
                    status="loaded",
                    sha256="ab" * 32,
                    retrieved_at=MOMENT,
                    byte_count=1,
                    mapping_version=1,
                )
            )

    def send(self, language: str = "da", page: str | None = "", keys: Any = (NEW_KEY,)) -> str:
        """Send a letter to a company of its own and return its token; page None = deleted."""
        self.sent += 1
        number = self.sent
        random16 = hashlib.sha256(b"letter %d" % number).digest()[:16]
        with writing(self.engine) as connection:
            if page is not None:
                self._add_company(connection, number)
            connection.execute(
                schema.letter.insert().values(
                    token_digest=token_digest(random16),
                    export_id="E1",
                    row_id=str(number),
                    company_id=number,
                    key_version=1,
                    subject_hash=self.hash(number),
                    notice_id=f"N-{number}",
                    language=language,
                    notice_html=notice_page(language) if page == "" else page,
                    created_at=MOMENT,
                )
            )
        token = make_token(random16, keys)
        self.tokens.append(token)
        return token

    @staticmethod
    def hash(number: int) -> str:
        return hashlib.sha256(b"subject %d" % number).hexdigest()

    @staticmethod
    def _add_company(connection: Any, number: int) -> None:
        key = f"TEST00NORDLYS{number:07}"
        connection.execute(
            schema.record.insert().values(
                record_id=number,
                source_key=key,
                source_id="gleif",
                digest=bytes(16),
                mapping_version=1,
                person_kind="none",
                first_delivery_id=1,
                last_delivery_id=1,
            )
        )
        connection.execute(
            schema.company.insert().values(
                company_id=number,
                lead_record_id=number,
                lead_source_key=key,
                first_seen_at=MOMENT,
                last_changed_at=MOMENT,
            )
        )

    def stops(self) -> list[dict[str, Any]]:
        """The rows of the do-not-contact list, in order."""
        return self._rows(schema.suppression)

    def stopped_companies(self) -> list[int]:
        return sorted(row["company_id"] for row in self._rows(schema.company_stop))

    def events(self) -> list[dict[str, Any]]:
        return self._rows(schema.audit_event)

    def _rows(self, table: sa.Table) -> list[dict[str, Any]]:
        with reading(self.engine) as connection:
            query = sa.select(table).order_by(*table.primary_key.columns)
            return [dict(row) for row in connection.execute(query).mappings()]


def open_office(url: str) -> Iterator[PostOffice]:
    engine = open_warehouse(url)
    try:
        migrate.upgrade(engine)
        office = PostOffice(engine)
        office.open()
        yield office
    finally:
        engine.dispose()


@pytest.fixture
def office(warehouse_url: str) -> Iterator[PostOffice]:
    """The post office of a warehouse, once on each database."""
    yield from open_office(warehouse_url)


@pytest.fixture
def sqlite_office(sqlite_url: str) -> Iterator[PostOffice]:
    """The same where the database makes no difference."""
    yield from open_office(sqlite_url)


@contextmanager
def running(engine: Any, **options: Any) -> Iterator[str]:
    """The portal's base URL, served by uvicorn in a thread."""
    given = {"link_keys": [OLD_KEY, NEW_KEY], "controller": CONTROLLER, "patience": 5.0}
    app = make_app(engine, now=lambda: MOMENT, **{**given, **options})
    with serve.listen(0) as listener:
        server = serve.server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until = time.monotonic() + 10
            while not server.started and time.monotonic() < until:
                time.sleep(0.01)
            yield serve.address_of(listener)
        finally:
            server.should_exit = True
            thread.join(60)


@pytest.fixture
def portal() -> Iterator[Callable[..., str]]:
    """Starts the portal over a post office's warehouse and returns its base URL."""
    with ExitStack() as stack:
        yield lambda office, **options: stack.enter_context(running(office.engine, **options))
