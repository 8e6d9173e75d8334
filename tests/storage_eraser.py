"""Child process: erases P-0001 and stops for ever between the rows and the pictures.

Usage: python -m tests.storage_eraser URL EVIDENCE_FOLDER
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from storage.database import open_database
from storage.erasure import erase
from storage.evidence import EvidenceStore
from storage.types import IdentityId
from tests.storage_builders import TEN_O_CLOCK_US


class _Stuck(EvidenceStore):
    def delete(self, sha256: str) -> int:
        sys.stdout.write("rows are gone\n")
        time.sleep(3600)
        return super().delete(sha256)


def main(url: str, folder: str) -> None:
    with open_database(url) as database:
        erase(
            database,
            _Stuck(Path(folder)),
            IdentityId(1),
            reason="asked",
            made_by="ada",
            now_us=TEN_O_CLOCK_US,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
