"""Child process: writes rows into the audit one after the other.

Usage: python -m tests.storage_auditor URL NAME N_ROWS
"""

from __future__ import annotations

import sys
import time

from storage.audit import audited
from storage.database import open_database
from tests.storage_builders import TEN_O_CLOCK_US


def main(url: str, name: str, n_rows: str) -> None:
    with open_database(url) as database:
        sys.stdout.write("ready\n")
        sys.stdin.readline()
        for number in range(int(n_rows)):
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
