"""Forgetting in time while watching: in small pieces, on a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path

from pipeline.background import Background
from storage.database import Database
from storage.due import Expired
from storage.evidence import EvidenceStore
from storage.retention import expire
from storage.retention_config import RetentionConfig
from streams.clock import Clock
from streams.errors import NoctuleError, Transient

logger = logging.getLogger(__name__)

WHO = "retention"
PAUSE_S = 0.05
"""After each piece, so that recording comes before forgetting."""
LOOK_EVERY_S = 1.0


class Expiring(Background):
    """Deletes what is due, every `retention.every_h` hours, while the block lasts.

    What goes wrong is logged and tried again the next time: forgetting never stops recording.
    """

    def __init__(
        self,
        database: Database,
        evidence: EvidenceStore,
        config: RetentionConfig,
        *,
        index: Path | None = None,
        clock: Clock,
    ) -> None:
        super().__init__("expire")
        self._database = database
        self._evidence = evidence
        self._config = config
        self._index = index
        self._clock = clock
        self._pieces: Generator[Expired, None, None] | None = None
        self._total = Expired()
        self._next_s = clock.monotonic_s()

    def step(self) -> bool:
        """Delete one piece if it is time; whether there may be another at once."""
        if self._pieces is None:
            if self._clock.monotonic_s() < self._next_s:
                return False
            self._pieces = expire(
                self._database,
                self._evidence,
                self._config,
                now_us=self._clock.now_us(),
                who=WHO,
                index=self._index,
            )
        try:
            self._total += next(self._pieces)
        except StopIteration:
            self._rest()
            return False
        except Transient as error:
            logger.info("what is due is deleted later: %s", error)
            self._rest()
            return False
        except NoctuleError as error:
            logger.error("what is due cannot be deleted: %s", error)
            self._rest()
            return False
        return True

    def _rest(self) -> None:
        if self._total:
            logger.info("expired: %s", self._total)
        self._pieces = None
        self._total = Expired()
        self._next_s = self._clock.monotonic_s() + self._config.every_h * 3600

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(PAUSE_S if self.step() else LOOK_EVERY_S)
        if self._pieces is not None:
            try:
                self._pieces.close()  # which tells the audit of what went
            except NoctuleError as error:
                logger.warning("what expired is not in the audit: %s", error)
