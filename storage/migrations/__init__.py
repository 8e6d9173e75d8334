"""The schema's history, run by the program itself: nobody needs the `alembic` command."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select

from storage.errors import DatabaseUnusable, SchemaMismatch
from storage.schema import SiteRow

HERE = Path(__file__).parent


class SchemaState(StrEnum):
    """How a database stands to this program."""

    FRESH = "fresh"
    OLDER = "older"
    CURRENT = "current"


def read_schema_state(connection: Connection, *, history: Path = HERE) -> SchemaState:
    """Whether the database is empty, to be upgraded, or ready.

    Raises:
        SchemaMismatch: It was written by a newer program.
        DatabaseUnusable: It holds tables, and they are not ours.
    """
    found = read_revision(connection)
    if found is None:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
        if tables:
            raise DatabaseUnusable(
                f"this database belongs to another program (it holds {min(tables)!r}); "
                "give noctule a database of its own"
            )
        return SchemaState.FRESH
    _refuse_other_products(connection)
    if found == head_revision(history):
        return SchemaState.CURRENT
    if found not in known_revisions(history):
        raise SchemaMismatch(
            f"the database has schema {found}, newer than this program's "
            f"{head_revision(history)}; use the noctule that wrote it, or a newer one"
        )
    return SchemaState.OLDER


def upgrade_connection(connection: Connection, *, history: Path = HERE) -> None:
    """Bring the database to this program's schema inside the connection's transaction."""
    read_schema_state(connection, history=history)
    config = _config(history)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def read_revision(connection: Connection) -> str | None:
    """Name of the database's schema, None if it has none."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def head_revision(history: Path = HERE) -> str:
    """Name of the schema that this program was written for."""
    head = ScriptDirectory.from_config(_config(history)).get_current_head()
    if head is None:
        raise SchemaMismatch(f"no migrations in {history}; reinstall noctule")
    return head


@cache
def known_revisions(history: Path = HERE) -> frozenset[str]:
    """Names of this program's schema and of all before it."""
    scripts = ScriptDirectory.from_config(_config(history)).walk_revisions()
    return frozenset(script.revision for script in scripts)


def _config(history: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(history).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_other_products(connection: Connection) -> None:
    known = inspect(connection).has_table(SiteRow.__tablename__)
    product = select(SiteRow.value).where(SiteRow.name == "product")
    if not known or connection.execute(product).scalar_one_or_none() != "noctule":
        raise DatabaseUnusable(
            "this database belongs to another program; give noctule a database of its own"
        )
