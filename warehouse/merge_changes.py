"""Changed records: every field that differs becomes a `change` with its delivery, then is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit import columns
from sources.kit.columns import change_name
from sources.kit.shapes import SHAPES
from warehouse.schema import change, company, company_record, record
from warehouse.staging import STAGED, set_apart

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from sources.kit.shapes import Shape
    from warehouse.load_shapes import DeliveryFacts


def apply_changes(connection: Connection, facts: DeliveryFacts, delivery_id: int) -> None:
    """Write the differences of `staged_changed` as changes, then the new content itself."""
    shape = SHAPES[facts.card.shape]
    undated = {} if "last_update_at" in shape.names else {"last_update_at": None}
    changed = sa.table(
        "staged_changed",
        *(
            sa.column(name)
            for name in ("record_id", "source_key", "digest", "person_kind", "person_rule")
        ),
        *(sa.column(name, record.c[name].type) for name in shape.names),
    )
    if connection.dialect.name == "sqlite":  # it would sort them anew for each of fifty fields
        index = f"CREATE INDEX {STAGED}.by_record ON staged_changed (record_id)"
        connection.execute(sa.text(index))
    _forget_persons(connection, changed)
    _write_differences(connection, changed, facts, delivery_id)
    connection.execute(
        record.update()
        .where(record.c.record_id == changed.c.record_id)
        .values(
            digest=changed.c.digest,
            mapping_version=columns.MAPPING_VERSION,
            person_kind=changed.c.person_kind,
            person_rule=changed.c.person_rule,
            last_delivery_id=delivery_id,
            **undated,  # a record that is back had its retraction for its last update
            **{name: changed.c[name] for name in shape.names},
        )
    )
    _touch_companies(connection, changed, facts)


def _write_differences(
    connection: Connection, changed: sa.TableClause, facts: DeliveryFacts, delivery_id: int
) -> None:
    """Each difference as the current change of its field; the one before it is current no more."""
    shape = SHAPES[facts.card.shape]
    before = _before(connection, shape)
    found = sa.union_all(*(_difference(before, changed, name) for name in shape.published))
    differences = _set_apart(connection, found)
    connection.execute(
        change.update()
        .where(
            change.c.is_current.is_(True),
            sa.tuple_(change.c.record_id, change.c.source_key, change.c.field).in_(
                sa.select(differences.c.record_id, differences.c.source_key, differences.c.field)
            ),
        )
        .values(is_current=False)
    )
    at = sa.literal(facts.retrieved_at, change.c.changed_at.type)
    connection.execute(
        change.insert().from_select(
            [
                "record_id",
                "source_key",
                "field",
                "old_value",
                "new_value",
                "delivery_id",
                "changed_at",
                "is_current",
            ],
            sa.select(differences, sa.literal(delivery_id), at, sa.true()),
        )
    )
    connection.execute(sa.text("DROP TABLE staged_before"))
    connection.execute(sa.text("DROP TABLE staged_difference"))


def _set_apart(connection: Connection, found: sa.CompoundSelect[Any]) -> sa.TableClause:
    """The differences in a table of their own: what is current no more is looked up by them."""
    names = ("record_id", "source_key", "field", "old_value", "new_value")
    connection.execute(sa.text("DROP TABLE IF EXISTS staged_difference"))
    text = found.compile(connection, compile_kwargs={"literal_binds": True})
    connection.execute(sa.text(f"{set_apart(connection, 'staged_difference')} AS {text}"))
    connection.execute(sa.text("ANALYZE staged_difference"))
    return sa.table("staged_difference", *(sa.column(name) for name in names))


def _before(connection: Connection, shape: Shape) -> sa.TableClause:
    """The changed records as held, set apart once: fifty comparisons need not search for them."""
    connection.execute(sa.text("DROP TABLE IF EXISTS staged_before"))
    connection.execute(
        sa.text(
            f"{set_apart(connection, 'staged_before')} AS SELECT record.* FROM record"
            " JOIN staged_changed ON record.record_id = staged_changed.record_id"
        )
    )
    names = ("record_id", "source_key", *shape.names)
    return sa.table("staged_before", *(sa.column(n, record.c[n].type) for n in names))


def _difference(
    before: sa.TableClause, changed: sa.TableClause, name: str
) -> sa.Select[tuple[object, ...]]:
    """One field's differences; a natural person's particulars leave no history."""
    differs = before.c[name].is_distinct_from(changed.c[name])
    if name.endswith("_published"):
        differs &= _another_moment(before, changed, name.removesuffix("_published"))
    if name not in columns.SKELETON:
        differs &= changed.c.person_kind != "natural"
    return sa.select(
        before.c.record_id,
        before.c.source_key,
        sa.literal(change_name(name)).label("field"),
        before.c[name].label("old_value"),
        changed.c[name].label("new_value"),
    ).where(before.c.record_id == changed.c.record_id, differs)


def _another_moment(
    before: sa.TableClause, changed: sa.TableClause, stem: str
) -> sa.ColumnElement[bool]:
    """A moment written another way is no change: GLEIF's API writes in UTC, its files do not."""
    at, day = f"{stem}_at", f"{stem}_date"
    differs = before.c[at].is_distinct_from(changed.c[at]) | changed.c[at].is_(None)
    if day in changed.c:
        differs |= before.c[day].is_distinct_from(changed.c[day])
    return differs


def _forget_persons(connection: Connection, changed: sa.TableClause) -> None:
    """Who turns out to be a natural person keeps no old name or address in the history."""
    now_natural = sa.select(changed.c.record_id).where(changed.c.person_kind == "natural")
    connection.execute(
        change.delete().where(
            change.c.record_id.in_(now_natural),
            change.c.field.in_([change_name(name) for name in columns.PERSONAL_OF_NATURAL]),
        )
    )


def _touch_companies(connection: Connection, changed: sa.TableClause, facts: DeliveryFacts) -> None:
    linked = sa.select(company_record.c.company_id).where(
        company_record.c.record_id.in_(sa.select(changed.c.record_id)),
        company_record.c.until_at.is_(None),
    )
    connection.execute(
        company.update()
        .where(company.c.company_id.in_(linked))
        .values(last_changed_at=facts.retrieved_at)
    )
