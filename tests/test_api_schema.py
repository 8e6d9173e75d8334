"""Schemathesis asks the running server what its own description allows: no 5xx, no break of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.api.searcher import Described
from pipeline.searching import Found
from streams.types import Modality
from tests.api_site import API, Site, open_site

ENDLESS = r"/(events|stream)$"
"""Answers that go on for ever."""
OF_ACCOUNTS = r"/(tokens/\{token\}|users/\{name\}.*)$"
"""May take the right to ask away from whoever asks, so they come in a run of their own."""
SEEN = {
    "codec": "h264", "width_px": 640, "height_px": 360, "fps": 12.5, "keyframe_interval_s": None,
    "modality": "visible", "first_frame_s": 0.4, "has_sender_clock": False, "clock_off_s": None,
    "advice": [],
}  # fmt: skip
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,"
CHECKS += "response_schema_conformance"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        first = np.eye(1, 8, dtype=np.float32)[0]
        described = Described(model="none@0", modality=Modality.VISIBLE, vector=first)
        found = Found(candidates=(), n_people=0)
        # The network takes seconds to load and is tested elsewhere.
        opened.desk.searcher.search = lambda *_, **__: (found, (Modality.VISIBLE,))  # type: ignore[method-assign]
        opened.desk.searcher.describe = lambda *_, **__: described  # type: ignore[method-assign]
        # So do looks at cameras that do not answer.
        opened.desk.looking.probe = lambda *_, **__: dict(SEEN)  # type: ignore[method-assign]
        opened.desk.looking.discover = lambda: []  # type: ignore[method-assign]
        yield opened


@pytest.mark.parametrize(
    ("chosen", "seconds"),
    [
        pytest.param(["--exclude-path-regex", f"{ENDLESS}|{OF_ACCOUNTS}"], 30, id="most"),
        pytest.param(["--include-path-regex", OF_ACCOUNTS], 5, id="accounts"),
    ],
)
def test_the_server_keeps_what_its_description_promises(
    site: Site, chosen: list[str], seconds: int
) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{site.url}{API}/openapi.json",
        *("--header", f"Authorization: Bearer {site.tokens['admin']}"),
        *chosen,
        *("--checks", CHECKS),
        *("--phases", "examples,coverage,fuzzing"),
        *("--generation-deterministic", "--request-timeout", "60"),
        *("--max-time", str(seconds)),
        *("--continue-on-failure", "--no-color", "--warnings", "off"),
    ]

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, cwd=site.folder, check=False
    )

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    if seconds > 5:
        answer = site.known("admin").get(f"{API}/cameras")
        assert answer.status_code == 200, "it asked in vain"
