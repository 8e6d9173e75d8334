"""Child process: records batches of sightings until it is killed, saying what was acknowledged.

Usage: python -m tests.storage_batcher URL EVIDENCE_FOLDER ROUND
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

from storage.batches import record_sightings
from storage.database import open_database
from storage.evidence import EvidenceStore
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, sighting

N_VISITS = 20


def main(url: str, folder: str, turn: str) -> None:
    evidence = EvidenceStore(Path(folder))
    with open_database(url, create=True) as database:
        for number in itertools.count():
            batch = f"{turn}/{number}"
            crops = (exemplar(evidence=evidence.put(batch.encode() * 2000)),)
            visits = [
                replace(sighting(0, exemplars=crops), key=f"{batch}/{i}", track=f"{batch}/{i}")
                for i in range(N_VISITS)
            ]
            record_sightings(database, visits, now_us=TEN_O_CLOCK_US)
            sys.stdout.write(f"{batch}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
