"""Child process: visits go through a spool into a database; says which are on the disk.

Usage: python -m tests.spool_filler URL FOLDER fill|drain

`fill` waits for a line on stdin (meanwhile the database goes away), then puts visits for ever.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from pathlib import Path

from pipeline.run.spool import Spool
from pipeline.run.spool_files import Closed
from pipeline.stage import Stage
from pipeline.types import Tracklet
from storage.database import open_database
from storage.sightings import record_sighting
from tests.spool_builders import tracklet
from tests.storage_builders import sighting


def main(url: str, folder: str, what: str) -> None:
    spool = Spool(Path(folder), limit_mb=100, capacity=4, stop=threading.Event())
    with open_database(url) as database:

        def remember(item: Closed) -> None:
            assert isinstance(item, Tracklet)
            visit = sighting(int(item.track), camera="gate")
            spool.until_written(lambda: record_sighting(database, visit, now_us=1))

        with Stage("remember", spool.working(remember), waiting=spool, closing=spool.closing) as s:
            if what == "drain":
                while spool.n_on_disk:
                    time.sleep(0.01)
                return
            sys.stdout.write("ready\n")
            sys.stdin.readline()
            for number in itertools.count():
                s.put(tracklet(str(number)))
                while not spool.n_on_disk:
                    time.sleep(0.01)
                sys.stdout.write(f"gate/{number}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
