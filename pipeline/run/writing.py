"""Writes that wait while the database is busy or away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from streams.errors import Transient

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _PATIENCE_S = 0.5, 10.0, 300.0


class Writing(Protocol):
    """Carries out a write, trying again while the database is busy or away."""

    def __call__(self, write: Callable[[], T], /) -> T: ...


def until_written(write: Callable[[], T]) -> T:
    """What `write` returns, tried again while the database is busy or away.

    Raises:
        Transient: It stayed so for `_PATIENCE_S`.
    """
    pause_s = _FIRST_PAUSE_S
    waited_s = 0.0
    while True:
        try:
            return write()
        except Transient as error:
            if waited_s >= _PATIENCE_S:
                raise
            logger.warning("nothing is lost yet, next try in %.1f s: %s", pause_s, error)
        time.sleep(pause_s)
        waited_s += pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
