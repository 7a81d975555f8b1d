"""Changed records: every field that differs becomes a `change` with its delivery, then is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sources.kit import columns
from sources.kit.columns import change_name
from sources.kit.shapes import ENTITY, SHAPES
from warehouse.schema import change, company, company_record, record
from warehouse.staging import STAGED, set_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        .where(*_same(connection, changed))
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


def _same(connection: Connection, changed: sa.TableClause) -> Iterator[sa.ColumnElement[bool]]:
    """A record and its staged change.

    The key leads PostgreSQL to the one partition that has the record. SQLite would read through all
    records if the list did not lead it from the few that changed to theirs.
    """
    yield record.c.record_id == changed.c.record_id
    yield record.c.source_key == changed.c.source_key
    if connection.dialect.name == "sqlite":
        yield record.c.record_id.in_(sa.select(changed.c.record_id))


def _write_differences(
    connection: Connection, changed: sa.TableClause, facts: DeliveryFacts, delivery_id: int
) -> None:
    """Each difference as the current change of its field; the one before it is current no more."""
    shape = SHAPES[facts.card.shape]
    both = _both(connection, changed, shape)
    found = sa.union_all(*(_difference(both, name) for name in shape.published))
    differences = _set_apart(connection, "staged_difference", found)
    connection.execute(sa.text("ANALYZE staged_difference"))
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
            # In the order of the records that each row's foreign key is looked up in.
            sa.select(differences, sa.literal(delivery_id), at, sa.true()).order_by(
                differences.c.record_id
            ),
        )
    )
    connection.execute(sa.text("DROP TABLE staged_both"))
    connection.execute(sa.text("DROP TABLE staged_difference"))


def _set_apart(
    connection: Connection, name: str, found: sa.Select[Any] | sa.CompoundSelect[Any]
) -> sa.TableClause:
    """What the query finds in a table of its own, to be read more than once."""
    connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))
    text = found.compile(connection, compile_kwargs={"literal_binds": True})
    connection.execute(sa.text(f"{set_apart(connection, name)} AS {text}"))
    return sa.table(name, *(sa.column(c.name, c.type) for c in found.selected_columns))


def _both(connection: Connection, changed: sa.TableClause, shape: Shape) -> sa.TableClause:
    """Changed records as held and as staged, side by side: fifty comparisons need no join."""
    named = (record.c.record_id, record.c.source_key, changed.c.person_kind)
    old = (record.c[name].label(f"old_{name}") for name in shape.names)
    new = (changed.c[name].label(f"new_{name}") for name in shape.names)
    query = sa.select(*named, *old, *new).where(*_same(connection, changed))
    return _set_apart(connection, "staged_both", query)


def _difference(both: sa.TableClause, name: str) -> sa.Select[tuple[object, ...]]:
    """One field's differences; a natural person's particulars leave no history."""
    old, new = both.c[f"old_{name}"], both.c[f"new_{name}"]
    differs = old.is_distinct_from(new)
    if name.endswith("_published"):
        differs &= _another_moment(both, name.removesuffix("_published"))
    if name not in columns.SKELETON:
        differs &= both.c.person_kind != "natural"
    return sa.select(
        both.c.record_id,
        both.c.source_key,
        sa.literal(change_name(name)).label("field"),
        old.label("old_value"),
        new.label("new_value"),
    ).where(differs)


def _another_moment(both: sa.TableClause, stem: str) -> sa.ColumnElement[bool]:
    """A moment written another way is no change: GLEIF's API writes in UTC, its files do not."""
    new = both.c[f"new_{stem}_at"]
    differs = both.c[f"old_{stem}_at"].is_distinct_from(new) | new.is_(None)
    if f"new_{stem}_date" in both.c:
        differs |= both.c[f"old_{stem}_date"].is_distinct_from(both.c[f"new_{stem}_date"])
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
    """A company's row says when what is joined to it changed; of what it is shown by, that says so.

    A record with an LEI is always the one its company is shown by.
    """
    if SHAPES[facts.card.shape] is ENTITY:
        return
    linked = sa.select(company_record.c.company_id).where(
        company_record.c.record_id.in_(sa.select(changed.c.record_id)),
        company_record.c.until_at.is_(None),
    )
    connection.execute(
        company.update()
        .where(company.c.company_id.in_(linked))
        .values(last_changed_at=facts.retrieved_at)
    )
