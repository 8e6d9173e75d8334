"""Child process: writes rows into the audit one after the other, some at each line on stdin.

Usage: python -m tests.storage_auditor URL NAME N_ROWS
"""

from __future__ import annotations

import sys
import time

from storage.audit import audited
from storage.database import open_database
from tests.storage_builders import TEN_O_CLOCK_US

IN_A_ROW = 15
"""So many rows are written before each word from the parent."""


def main(url: str, name: str, n_rows: str) -> None:
    with open_database(url) as database:
        for number in range(int(n_rows)):
            if number % IN_A_ROW == 0:
                sys.stdout.write("ready\n")
                sys.stdout.flush()
                sys.stdin.readline()
            audited(
                database,
                who=name,
                action="query trajectory",
                subject=f"P-{number:04d}",
                detail={"number": number},
                now_us=TEN_O_CLOCK_US + number,
            )
            time.sleep(0.001)  # or SQLite gives the same process its turn again and again


if __name__ == "__main__":
    main(*sys.argv[1:])
