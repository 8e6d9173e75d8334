"""Fixtures that tests of several rooms share."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.cli import RunCli, call

# The same examples on every machine, however slow it is; `--hypothesis-profile=default` hunts.
settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A test that cannot be imported fails: only modules of the product may need an extra."""
    report = yield
    if report.skipped and "unable to import module" in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} cannot be imported; run it with `-p no:doctest`"
    return report


@pytest.fixture
def run_cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunCli:
    """`run_cli("db", "check")`: what the command printed, after it ended as expected."""

    def run(*words: str, code: int = 0) -> str:
        told = call(words, capsys, monkeypatch)
        assert told.code == code, told.out + told.err
        return told.out if code == 0 else told.err

    return run
