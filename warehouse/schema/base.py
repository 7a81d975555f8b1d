"""The words all tables share: metadata, naming, the UTC type, and tagged columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """A UTC timestamp of whole seconds.

    `timestamptz` on PostgreSQL, `YYYY-MM-DD HH:MM:SSZ` text on SQLite, which sorts and reads by
    plain SQL.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text where the database has no timestamp of its own."""
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else self.impl)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 (two databases, two types)
        """Whole UTC seconds; a naive moment is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a moment without a time zone reached the warehouse"
            raise ValueError(message)
        moment = value.astimezone(UTC).replace(microsecond=0)
        return f"{moment:%Y-%m-%d %H:%M:%S}Z" if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 (as above)
        """An aware datetime in UTC."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        moment: datetime = value
        return moment.astimezone(UTC)


def column(  # noqa: PLR0913 (a column has this many sides)
    name: str,
    type_: Any,  # noqa: ANN401 (SQLAlchemy's own signature)
    *args: sa.schema.SchemaItem,
    comment: str,
    category: str = "operation",
    personal: bool = False,
    retention: str = "company_public",
    nullable: bool = False,
    primary_key: bool = False,
    default: str | None = None,
) -> sa.Column[Any]:
    """A column that says what it holds: category, whether personal, which policy deletes it."""
    return sa.Column(
        name,
        type_,
        *args,
        nullable=nullable and not primary_key,
        primary_key=primary_key,
        autoincrement=False,
        server_default=None if default is None else sa.text(default),
        comment=comment,
        info={"category": category, "personal": personal, "retention": retention},
    )


def one_of(name: str, values: tuple[str, ...], label: str) -> sa.CheckConstraint:
    """A CHECK that a code column holds a listed value."""
    listed = " OR ".join(f"{name} = '{value}'" for value in values)
    return sa.CheckConstraint(listed, name=label)
