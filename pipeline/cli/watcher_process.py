"""The watcher as a child process: started again when it dies or the configuration changes."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.background import Background

logger = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_LOOK_S = 0.5
_STOP_S = 60.0
_DONE, _USAGE = 0, 2


class WatcherProcess(Background):
    """Runs `noctule run` while the block lasts.

    It is left alone when it has ended by itself in good order, or says that its configuration
    cannot be used; then only a change of the configuration starts it again.

    Args:
        config: The site's configuration file.
        files: Files whose change starts it anew.
        is_quiet: Whether the tables that it ends with are left out of our log.
    """

    def __init__(self, config: Path, *, files: Sequence[Path] = (), is_quiet: bool = False) -> None:
        super().__init__("watcher")
        self._command = [sys.executable, "-m", "pipeline.cli", "run", "--config", str(config)]
        self._files = (config, *files)
        self._is_quiet = is_quiet

    def _loop(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            versions = self._versions()
            code = self._watch_once(versions)
            if self._stopping.is_set():
                return
            if code is None:
                logger.info("the configuration has changed; the watcher starts anew")
                pause_s = _FIRST_PAUSE_S
                continue
            if code in (_DONE, _USAGE):
                words = "has ended" if code == _DONE else "cannot use its configuration"
                logger.info("the watcher %s; it starts again when that changes", words)
                while self._versions() == versions and not self._stopping.wait(_LOOK_S):
                    pass
                continue
            logger.error("the watcher died with code %d; next try in %.0f s", code, pause_s)
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _watch_once(self, versions: tuple[object, ...]) -> int | None:
        """Its exit code; None: it was stopped, by us or for another configuration."""
        told = subprocess.DEVNULL if self._is_quiet else sys.stderr
        child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=told)
        while True:
            try:
                return child.wait(timeout=_LOOK_S)
            except subprocess.TimeoutExpired:
                pass
            if self._stopping.is_set() or self._versions() != versions:
                _end(child)
                return None

    def _versions(self) -> tuple[object, ...]:
        return tuple(_version(file) for file in self._files)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        logger.error("the watcher did not end within %.0f s and was killed", _STOP_S)
        child.kill()
        child.wait()


def _version(file: Path) -> tuple[int, int] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size
