"""Each value of a company with the delivery that brought it: the model's origin rule, told.

The origin of a value is the delivery that first brought the value now held: the record's first
delivery, else the last change of that field (docs/house.md, The model).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.kit import columns
from sources.kit.columns import change_name
from sources.kit.shapes import AD_PROTECTED
from warehouse.history import REMOVED
from warehouse.read_company import LEI_SOURCE
from warehouse.schema.corrections import DATABASE_NAME, LICENCE, SOURCE_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

Row = dict[str, Any]

_CARE_OF = "_care_of"


def deliveries_named(
    records: Sequence[Row],
    changes: Sequence[Row],
    personal: Sequence[Row],
    contacts: Sequence[Row],
) -> set[int]:
    """Every delivery these rows name as somebody's origin."""
    return {
        *(row["first_delivery_id"] for row in (*records, *contacts)),
        *(row["delivery_id"] for row in (*changes, *personal)),
    }


class Tale:
    """A company's records, their changes and the deliveries behind them, ready to be told."""

    def __init__(
        self,
        records: Sequence[Row],
        changes: Sequence[Row],
        deliveries: dict[int, Row],
        corrections: Sequence[Row] = (),
    ) -> None:
        self._records = {record["record_id"]: record for record in records}
        self._changes, self._deliveries = changes, deliveries
        self._corrections = {
            (row["record_id"], row["delivery_id"], row["field"]): row for row in corrections
        }
        self._current = {
            (change["record_id"], change["field"]): change["delivery_id"]
            for change in changes
            if change["is_current"]
        }

    def values(self) -> list[Row]:
        """Every value a publisher sent and we hold, in the order of the house's columns."""
        return [
            {
                "field": field,
                "value": value,
                **({"as_published": published} if published is not None else {}),
                **({"is_removed": True} if value is None and published is None else {}),
                **self._origin(record, self._current.get((record["record_id"], field)), field),
            }
            for record in self._records.values()
            for field, value, published in _published_values(record)
        ]

    def contact_points(self, rows: Sequence[Row]) -> list[Row]:
        """Published contact points, active and inactive."""
        names = (
            *("contact_id", "kind", "value", "mailbox_class", "person_kind", "state"),
            *("ad_protected", "valid_from", "valid_until", "withdrawn_at", "inactive_since"),
            *("inactive_reason", "inactive_after", "delete_after"),
        )
        return [
            {
                **{name: row[name] for name in names},
                **self._origin(self._records[row["record_id"]], row["first_delivery_id"]),
            }
            for row in rows
        ]

    def personal(self, rows: Sequence[Row]) -> list[Row]:
        """Values that name a person, with the dates on which they go."""
        names = ("field", "value", "state", "inactive_after", "delete_after")
        return [
            {
                **{name: row[name] for name in names},
                **self._origin(
                    self._records[row["record_id"]],
                    row["delivery_id"],
                    change_name(row["field"].removesuffix(_CARE_OF)),
                ),
            }
            for row in rows
        ]

    def changes(self) -> list[Row]:
        """Every change, oldest first, with the delivery that brought the new value."""
        names = ("field", "old_value", "new_value", "changed_at", "delivery_id")
        return [
            {
                **{name: change[name] for name in names},
                "source_id": self._records[change["record_id"]]["source_id"],
                "published_at": self._deliveries[change["delivery_id"]]["published_at"],
                "retrieved_at": self._deliveries[change["delivery_id"]]["retrieved_at"],
            }
            for change in self._changes
        ]

    def _origin(self, record: Row, delivery_id: int | None, field: str = "") -> Row:
        delivery = self._deliveries[delivery_id or record["first_delivery_id"]]
        first_seen: datetime = delivery["retrieved_at"]
        last_full: datetime | None = record["last_seen_at"]
        is_still_there = record["absent_count"] == 0 and last_full is not None
        origin = {
            **{
                name: record[name]
                for name in (
                    "source_id",
                    "publisher",
                    "database_name",
                    "is_public_database",
                    "licence",
                )
            },
            "record_url": _record_url(record),
            "delivery_id": delivery["delivery_id"],
            "delivery_kind": delivery["kind"],
            "delivery_url": delivery["url"],
            "delivery_sha256": delivery["sha256"],
            "published_at": delivery["published_at"],
            "retrieved_at": delivery["retrieved_at"],
        }
        own = self._corrections.get((record["record_id"], delivery["delivery_id"], field))
        if own:
            return {
                "origins": [{**origin, **as_corrected(own)}],
                "first_seen_at": first_seen,
                "last_seen_at": first_seen,
            }
        last_seen = max(first_seen, last_full) if is_still_there and last_full else first_seen
        return {"origins": [origin], "first_seen_at": first_seen, "last_seen_at": last_seen}


def as_corrected(own: Row) -> Row:
    """What an origin says of a value that no publisher sent: whose word it is, who wrote it, why.

    As `origins` and the lists have it; the record's address shows what the publisher says instead.
    """
    return {
        "source_id": SOURCE_ID,
        "publisher": own["corrected_by"],
        "database_name": DATABASE_NAME,
        "is_public_database": False,
        "licence": LICENCE,
        "published_at": None,
        "correction": {name: own[name] for name in ("actor", "reason", "corrected_at")},
    }


def told_records(records: Sequence[Row]) -> list[Row]:
    """The publishers' records a company rests on, and those whose link has ended, with why."""
    names = (
        "source_id",
        "source_key",
        "publisher",
        "database_name",
        "is_public_database",
        "licence",
        "since_at",
        "until_at",
        "until_reason",
        "link_reason",
        "absent_count",
        "vanished_at",
    )
    return [
        {**{name: record[name] for name in names}, "record_url": _record_url(record)}
        for record in records
    ]


def _record_url(record: Row) -> str:
    return str(record["record_url_template"]).replace("{key}", record["source_key"])


def _published_values(record: Row) -> Iterator[tuple[str, Any, str | None]]:
    """(field, value, text as published where a moment was read from it) of one record.

    What retention removed of an earlier moment has neither value nor text.
    """
    yield ("lei" if record["source_id"] == LEI_SOURCE else "source_key"), record["source_key"], None
    for name in (*columns.PUBLISHED, AD_PROTECTED.name):
        published = record[name]
        if name in record.get(REMOVED, ()):
            yield change_name(name), None, None
        if published is None:
            continue
        if not name.endswith("_published"):
            yield change_name(name), published, None
            continue
        stem = name.removesuffix("_published")
        moment = record[f"{stem}_at"]
        dated = record.get(f"{stem}_date") or (moment.date() if moment else None)
        yield change_name(name), dated, published
