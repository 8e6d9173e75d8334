"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import pytest

from tests.cli import RunCli, call


@pytest.fixture
def run_cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunCli:
    """`run_cli("db", "check")`: what the command printed, after it ended as expected."""

    def run(*words: str, code: int = 0) -> str:
        told = call(words, capsys, monkeypatch)
        assert told.code == code, told.out + told.err
        return told.out if code == 0 else told.err

    return run
