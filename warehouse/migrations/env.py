"""Alembic's environment: runs the migrations on the connection `warehouse.migrate` hands it."""

from alembic import context

from warehouse.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=False,
    include_object=lambda _, name, kind, *__: not (kind == "table" and "_part_" in (name or "")),
)
with context.begin_transaction():
    context.run_migrations()
