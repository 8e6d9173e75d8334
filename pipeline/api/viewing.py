"""Each view of a person is written down before it is answered.

Pages ask again and again, and show many pictures of one person: the same question by the same
account is written down once in `AGAIN_S`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from pipeline.api.visitors import Visitor
from storage.audit import audited, canonical_json
from storage.database import Database
from streams.clock import Clock

AGAIN_S = 300.0
_REMEMBERED = 50_000


class Viewings:
    """Who looked at whom lately; threads may share it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lately: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def write_down(
        self, visitor: Visitor, action: str, subject: str = "", **detail: object
    ) -> None:
        """Write into the audit what is about to be answered.

        Args:
            subject: The person or camera asked about.
            detail: What else was asked; None is left out.

        Raises:
            AuditFailed: It could not be written, so it must not be answered.
        """
        told = {name: value for name, value in detail.items() if value is not None}
        question = canonical_json([visitor.name, action, subject, told])
        now_s = self._clock.monotonic_s()
        with self._lock:
            asked_s = self._lately.get(question)
        if asked_s is not None and now_s - asked_s < AGAIN_S:
            return
        audited(
            self._database,
            who=visitor.name,
            action=action,
            subject=subject,
            detail=told,
            now_us=self._clock.now_us(),
        )
        with self._lock:
            self._lately[question] = now_s
            self._lately.move_to_end(question)
            while len(self._lately) > _REMEMBERED:
                self._lately.popitem(last=False)
