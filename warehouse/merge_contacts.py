"""Contact points in the load's transaction: what comes, what goes, whose mailboxes they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit.shapes import SHAPES
from warehouse.load_shapes import CONTACT_SCHEMA
from warehouse.numbering import take_numbers
from warehouse.schema import contact_change, contact_point, protection_check, record
from warehouse.schema import shared_mail_domain as shared
from warehouse.staging import STAGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from sqlalchemy.engine import Connection

    from warehouse.load_shapes import DeliveryFacts

CAME, WENT, CAME_BACK, PROTECTION = "came", "went", "came back", "protection"
"""What happens to a contact point, in `contact_change`."""
_AGENT, _FREE_MAIL = "agent", "free-mail"
_BATCH = 500
_SAME = ("valid_from", "valid_until")
_OTHERS: dict[str, Any] = {
    "ordinal": sa.BigInteger(),
    "place": sa.BigInteger(),
    "is_new": sa.Boolean(),
}
_ROWS = sa.table(
    "staged_contact",
    *(
        sa.column(name, contact_point.c[name].type if name in contact_point.c else _OTHERS[name])
        for name in CONTACT_SCHEMA.names
    ),
)
_OF_SAME_VALUE = sa.and_(
    _ROWS.c.record_id == contact_point.c.record_id,
    _ROWS.c.kind == contact_point.c.kind,
    _ROWS.c.value == contact_point.c.value,
)


def merge_contacts(
    connection: Connection,
    facts: DeliveryFacts,
    delivery_id: int,
    shared_domains: Sequence[str] | None,
) -> None:
    """Write what the staged contact points and the changed records' missing ones say.

    Every value is written with the delivery that brought it, and every coming and going with the
    delivery that said so. A value that goes stays until its policy row's grace is over.
    """
    if not SHAPES[facts.card.shape].joins_companies:
        return
    is_changed = connection.scalar(sa.select(sa.text("1 FROM staged_changed")).limit(1))
    if is_changed is not None:  # only of a record that is held can a contact point be held
        if connection.dialect.name == "sqlite":  # what is held looks for itself among what came
            index = f"CREATE INDEX {STAGED}.by_contact ON staged_contact (record_id, kind, value)"
            connection.execute(sa.text(index))
        _withdraw(connection, facts, delivery_id)
        _bring_back(connection, facts, delivery_id)
        _take_flags(connection, facts, delivery_id)
    _insert_new(connection, facts, delivery_id)
    if shared_domains is not None:
        _keep_shared(connection, facts, delivery_id, shared_domains)
    _mark_agents(connection, facts)


def _withdraw(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """What changed records no longer bring."""
    changed: Any = sa.select(sa.column("record_id")).select_from(sa.table("staged_changed"))
    gone = sa.and_(
        contact_point.c.record_id.in_(changed),
        contact_point.c.withdrawn_at.is_(None),
        ~sa.exists().where(_OF_SAME_VALUE).correlate(contact_point),
    )
    _write_changes(connection, facts, delivery_id, WENT, gone)
    connection.execute(contact_point.update().where(gone).values(withdrawn_at=facts.retrieved_at))


def _bring_back(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """What had gone and is published again; the register itself has withdrawn the reason."""
    back = sa.and_(
        contact_point.c.withdrawn_at.is_not(None),
        sa.exists().where(_OF_SAME_VALUE).correlate(contact_point),
    )
    _write_changes(connection, facts, delivery_id, CAME_BACK, back)
    connection.execute(contact_point.update().where(back).values(withdrawn_at=None))


def _take_flags(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Protection and validity of values that are held already."""
    flag = contact_point.c.ad_protected.is_distinct_from(_ROWS.c.ad_protected)
    flipped = sa.exists().where(_OF_SAME_VALUE, flag).correlate(contact_point)
    _write_changes(connection, facts, delivery_id, PROTECTION, flipped)
    names = ("ad_protected", "mailbox_class", "person_kind", *_SAME)
    connection.execute(
        contact_point.update().where(_OF_SAME_VALUE).values({name: _ROWS.c[name] for name in names})
    )


def _write_changes(
    connection: Connection,
    facts: DeliveryFacts,
    delivery_id: int,
    what: str,
    which: sa.ColumnElement[bool],
) -> None:
    at = sa.literal(facts.retrieved_at, contact_change.c.changed_at.type)
    connection.execute(
        contact_change.insert().from_select(
            ["record_id", "source_key", "contact_id", "delivery_id", "what", "kind", "changed_at"],
            sa.select(
                contact_point.c.record_id,
                contact_point.c.source_key,
                contact_point.c.contact_id,
                sa.literal(delivery_id),
                sa.literal(what),
                contact_point.c.kind,
                at,
            ).where(which),
        )
    )


def _insert_new(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Values that are not held of their record, each with its origin and its clock.

    Numbered by their place, with gaps where a value is held: a new record's are not looked for, and
    none are put in order, which takes as long as to write them.
    """
    last = connection.scalar(sa.select(sa.func.max(_ROWS.c.place)))
    if last is None:
        return
    first = take_numbers(connection, "contact", last + 1)
    held = contact_point.alias("held")
    is_held = sa.exists().where(
        held.c.record_id == _ROWS.c.record_id,
        held.c.kind == _ROWS.c.kind,
        held.c.value == _ROWS.c.value,
    )
    names = [name for name in CONTACT_SCHEMA.names if name not in {"ordinal", "place", "is_new"}]
    for which in (_ROWS.c.is_new, sa.and_(~_ROWS.c.is_new, ~is_held)):
        connection.execute(
            contact_point.insert().from_select(
                [
                    *("contact_id", *names),
                    *("first_delivery_id", "obtained_at", "inactive_after", "delete_after"),
                ],
                sa.select(
                    sa.literal(first) + _ROWS.c.place,
                    *(_ROWS.c[name] for name in names),
                    sa.literal(delivery_id),
                    sa.literal(facts.retrieved_at, contact_point.c.obtained_at.type),
                    sa.literal(facts.personal_inactive_after, sa.Date()),
                    sa.literal(facts.personal_delete_after, sa.Date()),
                ).where(which),
            )
        )
    fresh = contact_point.c.contact_id >= first
    _write_changes(connection, facts, delivery_id, CAME, fresh)


def _keep_shared(
    connection: Connection, facts: DeliveryFacts, delivery_id: int, domains: Sequence[str]
) -> None:
    """The domains as they are shared now; one that was already keeps the delivery that said so."""
    own = shared.c.source_id == facts.card.source_id
    held = set(connection.scalars(sa.select(shared.c.mail_domain).where(own)))
    for start in range(0, len(gone := sorted(held - set(domains))), _BATCH):
        few = gone[start : start + _BATCH]
        connection.execute(shared.delete().where(own, shared.c.mail_domain.in_(few)))
    fresh = [
        {"source_id": facts.card.source_id, "mail_domain": domain, "delivery_id": delivery_id}
        for domain in domains
        if domain not in held
    ]
    if fresh:
        connection.execute(shared.insert(), fresh)


def _mark_agents(connection: Connection, facts: DeliveryFacts) -> None:
    """A shared domain's mailboxes are an agent's, those held before it was shared among them."""
    own = facts.card.source_id
    domains = sa.select(shared.c.mail_domain).where(shared.c.source_id == own)
    of_source = sa.exists().where(
        record.c.record_id == contact_point.c.record_id,
        record.c.source_key == contact_point.c.source_key,
        record.c.source_id == own,
    )
    connection.execute(
        contact_point.update()
        .where(
            contact_point.c.mail_domain.in_(domains),
            contact_point.c.mailbox_class.not_in([_AGENT, _FREE_MAIL]),
            of_source,
        )
        .values(mailbox_class=_AGENT, person_kind="possible")
    )


def note_checks(
    connection: Connection,
    facts: DeliveryFacts,
    delivery_id: int,
    answered: Sequence[int] | np.ndarray,
) -> None:
    """The register, if it has such a flag, has said just now whether the `answered` are protected.

    Of a record that it was asked about and did not tell of it has said nothing.
    """
    if not facts.card.has_protection_flag:
        return
    for start in range(0, len(answered), _BATCH):
        few = [int(number) for number in answered[start : start + _BATCH]]
        connection.execute(protection_check.delete().where(protection_check.c.record_id.in_(few)))
        connection.execute(
            protection_check.insert().from_select(
                ["record_id", "source_key", "checked_at", "delivery_id"],
                sa.select(
                    record.c.record_id,
                    record.c.source_key,
                    sa.literal(facts.retrieved_at, protection_check.c.checked_at.type),
                    sa.literal(delivery_id),
                ).where(record.c.record_id.in_(few), record.c.ad_protected.is_not(None)),
            )
        )
