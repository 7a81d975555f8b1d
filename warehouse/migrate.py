"""Brings a warehouse to the schema this version needs, views included; checks that it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sources.kit.errors import Refused
from warehouse.engine import is_there, make_file, reading, sole_writer, writing

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection, Engine

HEAD = "0004"
"""Newest migration; held equal to Alembic's own head by a test, so that `status` stays fast."""


def upgrade(engine: Engine) -> list[str]:
    """Apply every pending migration and re-create the views; returns the revisions applied."""
    from alembic import command

    from warehouse.codes import seed
    from warehouse.views import recreate_views

    make_file(engine)
    with sole_writer(engine), writing(engine) as connection:
        before = revision(connection)
        command.upgrade(_config(connection), "head")
        recreate_views(connection)
        seed(connection)
        after = revision(connection)
    return [] if before == after or after is None else [after]


def check(engine: Engine) -> None:
    """Refuse to work with a warehouse that has no tables or an older schema."""
    held = None
    if is_there(engine):
        with reading(engine) as connection:
            held = revision(connection)
    if held is None:
        raise Refused("warehouse", "it has no tables yet", "Run `sourcenote init` first")
    if held != HEAD:
        raise Refused(
            "warehouse",
            f"its schema is at {held}, this version needs {HEAD}",
            "Run `sourcenote db upgrade`",
        )


def revision(connection: Connection) -> str | None:
    """The migration the warehouse is at, or None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    held: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return held


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "warehouse:migrations")
    config.attributes["connection"] = connection
    return config
