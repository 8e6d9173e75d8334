"""Child process: upgrades a database and kills itself after the n-th statement that changes it.

Usage: python -m tests.storage_migrator URL HISTORY_FOLDER N
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from storage.database import upgrade

CHANGES = ("ALTER", "CREATE", "DROP", "INSERT", "UPDATE")


def main(url: str, history: str, n: str) -> None:
    statements = itertools.count(1)

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().startswith(CHANGES) and next(statements) == int(n):
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", die)
    upgrade(url, history=Path(history))
    sys.stdout.write("upgraded\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
