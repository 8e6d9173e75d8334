"""Writing goes on when the database was busy, and says so when it stays away."""

from __future__ import annotations

import pytest

from pipeline.run import remember
from pipeline.run.remember import until_written
from storage.errors import DatabaseBusy


def test_a_busy_database_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(remember, "_FIRST_PAUSE_S", 0.001)
    refusals = [DatabaseBusy("locked"), DatabaseBusy("locked")]

    def write() -> int:
        if refusals:
            raise refusals.pop()
        return 7

    assert until_written(write) == 7
    assert caplog.text.count("nothing is lost yet") == 2


def test_a_database_that_stays_away_ends_the_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remember, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(remember, "_PATIENCE_S", 0.01)

    def write() -> int:
        raise DatabaseBusy("locked")

    with pytest.raises(DatabaseBusy):
        until_written(write)
