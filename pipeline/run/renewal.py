"""After a new network: a watcher describes old pictures anew while it has nothing else to do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property

from models.reid.embedder import Embedder
from pipeline.run.reembed import Reembedder
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.reembedding import (
    Outdated,
    described_by_others,
    numbers_of_exemplars,
    outdated,
)
from streams.errors import NoctuleError, Transient

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Pictures per step: whoever leaves a camera meanwhile waits for no more than these."""
NUMBERS_AT_ONCE = 1_000
"""Exemplars looked at per step, at most: most steps of a large database find none."""


class Renewal:
    """Goes through all exemplars once, newest first, a few in each idle moment. Used by one thread.

    What goes wrong is logged: it never stops recording.
    """

    def __init__(self, *, database: Database, evidence: EvidenceStore, embedder: Embedder) -> None:
        self._database = database
        self._model = embedder.model
        self._work = Reembedder(database=database, evidence=evidence, embedder=embedder)
        self._before: int | None = None
        self.is_done = False

    def step(self) -> Sequence[Outdated]:
        """Describe the next few anew; which they were, none in most steps."""
        if self.is_done:
            return ()
        try:
            return self._step()
        except Transient as error:
            logger.debug("old pictures are described anew later: %s", error)
        except NoctuleError as error:
            self.is_done = True
            logger.warning("old pictures are not described anew until the next start: %s", error)
        return ()

    def _step(self) -> Sequence[Outdated]:
        lowest, highest = self._ends
        before = highest + 1 if self._before is None else self._before
        if before <= lowest:
            if not self._work.describe_wanted():
                self._finish()
            return ()
        since = max(lowest, before - NUMBERS_AT_ONCE)
        todo = outdated(
            self._database, model=self._model, since=since, before=before, limit=AT_ONCE
        )
        if todo:
            self._work.describe(todo)
        self._before = todo[-1].exemplar_id if len(todo) == AT_ONCE else since
        return todo

    @cached_property
    def _ends(self) -> tuple[int, int]:
        """Numbers of what there was at the start: what comes later is of the network in use."""
        if not described_by_others(self._database, model=self._model):
            return (0, -1)
        return numbers_of_exemplars(self._database)

    def _finish(self) -> None:
        self.is_done = True
        done = self._work
        if done.n_described or done.n_skipped:
            logger.info(
                "%d old pictures described anew by %s, %d left as they are: missing or damaged",
                done.n_described,
                self._model,
                done.n_skipped,
            )
