"""Child process: records sightings with evidence until it is killed, saying what was acknowledged.

Usage: python -m tests.storage_writer URL EVIDENCE_FOLDER ROUND
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from storage.claims import claim_watcher
from storage.database import open_database
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting, relink
from tests.storage_builders import TEN_O_CLOCK_US, exemplar, link_new, link_unsure, sighting


def main(url: str, folder: str, turn: str) -> None:
    evidence = EvidenceStore(Path(folder))
    with open_database(url, create=True) as database, claim_watcher(database):
        for number in itertools.count():
            picture = f"{turn}/{number}".encode() * 2000
            crops = (exemplar(evidence=evidence.put(picture)),)
            decision = link_unsure() if number % 2 else link_new()
            visit = sighting(number, camera=f"round{turn}", exemplars=crops, link=decision)
            recorded = record_sighting(database, visit, now_us=TEN_O_CLOCK_US)
            sys.stdout.write(f"{visit.key}\n")
            if number % 2:
                relink(
                    database,
                    recorded.sighting,
                    link_new(),
                    made_by="linker",
                    now_us=TEN_O_CLOCK_US,
                )
                sys.stdout.write(f"relinked {visit.key}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
