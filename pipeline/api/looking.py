"""Looking at cameras that are not watched yet: one look at a time, each with an end.

A camera is looked at in a process of its own, by `noctule camera probe`: whatever it sends, the
front desk goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.api.errors import Busy, CameraUnusable
from streams.address import shown, without_secrets
from streams.config import CameraConfig
from streams.discovery import Discovered, discover

PROBE_S = 40.0
"""Longer than a camera needs that answers late and then sends nothing."""
_VARIABLE = "NOCTULE_PROBE_SOURCE"
_OWN_NAME = "camera probe"
"""As the camera is called in the words of a probe."""


class Looking:
    """Threads may share it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def probe(self, camera: CameraConfig, *, folder: Path) -> dict[str, Any]:
        """What `noctule camera probe --json` says of it.

        Args:
            folder: Is left out of paths in words.

        Raises:
            Busy: Somebody looks at another camera.
            CameraUnusable: It cannot be seen; in words, without its password.
        """
        with self._alone():
            return _probe(camera, folder)

    def discover(self) -> list[Discovered]:
        """Cameras that answer in this network.

        Raises:
            Busy: Somebody looks at another camera.
        """
        with self._alone():
            return discover()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._turn.acquire(blocking=False):
            raise Busy("another camera is looked at; try again in some seconds")
        try:
            yield
        finally:
            self._turn.release()


def _probe(camera: CameraConfig, folder: Path) -> dict[str, Any]:
    source = camera.source.get_secret_value()
    # Not as an argument: everybody on this machine may read those.
    words = ["camera", "probe", f"${{{_VARIABLE}}}", "--transport", camera.transport, "--json"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *words],
            env={**os.environ, _VARIABLE: source},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        done = None  # its error would hold what was asked
    if done is None:
        raise CameraUnusable(
            f"{shown(source)} did not come to an end within {PROBE_S:.0f} s; look at its address"
        )
    if done.returncode:
        raise CameraUnusable(_why(done.stderr, source).replace(f"{folder}/", ""))
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def _why(said: str, source: str) -> str:
    """The command's last words, for people.

    >>> _why("x\\nnoctule: camera probe refuses op:pw; mend it\\n", "rtsp://op:pw@gate/1")
    'the camera refuses ...; mend it'
    """
    told = [line.removeprefix("noctule: ") for line in said.splitlines() if "noctule: " in line]
    words = told[-1] if told else "the camera could not be looked at; the server's log says why"
    return without_secrets(words, source).replace(_OWN_NAME, "the camera")
