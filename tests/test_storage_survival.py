"""Killed at any moment: what was acknowledged is there, and every invariant holds."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

from storage.check import check
from storage.claims import claim_watcher
from storage.database import open_database
from storage.errors import AlreadyRunning
from storage.evidence import EvidenceStore
from storage.sightings import sightings
from storage.types import Decision
from tests.processes import wait_for
from tests.storage_builders import run_python

pytest_plugins = ["tests.storage_fixtures"]

N_KILLS = 4


def is_free(address: str) -> bool:
    """Whether nobody watches there."""
    try:
        with open_database(address) as database, claim_watcher(database):
            return True
    except AlreadyRunning:
        return False


def test_killing_the_writer_at_any_moment_loses_nothing_acknowledged(
    empty_address: str, tmp_path: Path
) -> None:
    evidence = tmp_path / "evidence"
    acknowledged: list[str] = []
    rng = random.Random(7)

    for turn in range(N_KILLS):
        child = run_python("tests.storage_writer", empty_address, str(evidence), str(turn))
        assert child.stdout is not None
        acknowledged.append(child.stdout.readline().strip())  # it works; now any moment will do
        time.sleep(rng.uniform(0, 0.3))
        child.send_signal(signal.SIGKILL)
        acknowledged += child.stdout.read().split("\n")[:-1]
        child.wait()
        assert wait_for(lambda: is_free(empty_address))  # the server notices a moment later

    with open_database(empty_address) as database:
        found = {s.key: s for s in sightings(database)}
        problems = check(database, EvidenceStore(evidence))
    recorded = [line for line in acknowledged if not line.startswith("relinked ")]
    relinked = [line.removeprefix("relinked ") for line in acknowledged if line not in recorded]
    assert len(recorded) >= N_KILLS
    assert [key for key in recorded if key not in found] == []
    assert [key for key in relinked if found[key].link.decision is not Decision.NEW] == []
    assert [problem for problem in problems if problem.is_error] == []
    # A picture is kept before the row that refers to it: at most one too many for each kill.
    assert len(problems) <= N_KILLS
