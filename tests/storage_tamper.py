"""Writing what the constraints would refuse."""

from __future__ import annotations

import sqlite3

from sqlalchemy import text

from storage.database import Database


def break_rules(database: Database, statement: str, **values: object) -> None:
    """Change the database as a torn file or a careless hand would: no constraint, no trigger."""
    if database.address.file is not None:
        with sqlite3.connect(database.address.file) as file:
            file.execute("PRAGMA ignore_check_constraints = ON")
            triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            for name, _ in (made := file.execute(triggers).fetchall()):
                file.execute(f"DROP TRIGGER {name}")
            file.execute(statement, values)
            for _, sql in made:
                file.execute(sql)
        return
    with database.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement), values)
