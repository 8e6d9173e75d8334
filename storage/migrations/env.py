"""Run by Alembic: all steps of an upgrade in one transaction, on the connection we were given."""

from __future__ import annotations

from alembic import context

from storage.schema import Table


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Table.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


if hasattr(context, "config"):  # not when a tool merely imports this file
    run()
