"""Lines of the night shift: for people, or one object per line; secrets in neither."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from pipeline.cli.process import LogForm, start_logging

logger = logging.getLogger("tests.cli_logs")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_json_is_one_object_per_line_with_the_trace_of_a_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_logging("info", form="json")

    logger.debug("nobody wants to know")
    logger.warning("camera %s is\naway", "gate")
    try:
        raise ValueError("rtsp://op:pass-canary@gate/1")
    except ValueError:
        logger.exception("a fault")

    away, fault = map(json.loads, capsys.readouterr().err.splitlines())
    assert (away["level"], away["message"]) == ("warning", "camera gate is\naway")
    assert away["logger"] == "tests.cli_logs"
    assert away["time"].endswith("Z")
    assert "ValueError: rtsp://gate/1" in fault["trace"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_addresses_lose_user_and_password_whoever_wrote_the_line(
    capsys: pytest.CaptureFixture[str], form: LogForm
) -> None:
    start_logging("info", form=form)

    logger.info("opened %s", "postgresql://noctule:pass-canary@db/n and rtsp://op:p@ss-canary@gate")

    text = " ".join(capsys.readouterr().err.split())
    assert "canary" not in text
    assert "postgresql://db/n and rtsp://gate" in text
