"""A running watcher hears what operators, refine and erasures said about who it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from pipeline.linking.gallery import MOST_LOOKS, Gallery, looks_of
from pipeline.run.remember import Memory, Writing
from storage.changes import Changed, Cursor, changes
from storage.database import Database
from storage.gallery import gallery as gallery_rows
from storage.reembedding import Outdated
from storage.sightings import persons_of

logger = logging.getLogger(__name__)


class Following:
    """Lets a memory catch up before each decision. Used by the memory's thread.

    Args:
        gallery: The memory's own.
        model: The network whose vectors it holds.
        since: Taken before the gallery was filled from the database.
        writing: What to do while the database is away.
    """

    def __init__(
        self,
        *,
        database: Database,
        memory: Memory,
        gallery: Gallery,
        model: str,
        since: Cursor,
        writing: Writing,
    ) -> None:
        self._database = database
        self._memory = memory
        self._gallery = gallery
        self._model = model
        self._cursor = since
        self._writing = writing

    def catch_up(self, *, reading: Writing | None = None) -> None:
        """Carry out in memory what others did in the database since the last time.

        Args:
            reading: What to do while the database is away, if not what is done for writes.
        """
        reading = reading or self._writing
        news = reading(partial(changes, self._database, self._cursor))
        absent = [change for change in news.moved if not self._move(change)]
        for identity in news.gone:
            self._memory.drop(identity)
        self._add(absent, reading)
        if news.moved or news.gone:
            n_moved, n_gone = len(news.moved), len(news.gone)
            logger.info("followed others: %d visits moved, %d people gone", n_moved, n_gone)
        self._cursor = news.next

    def learn(self, described: Sequence[Outdated]) -> None:
        """Take over how visits look now that the network in use has described these pictures.

        Of somebody who is known by as many looks as are kept, no older ones are wanted.
        """
        sightings = {picture.sighting for picture in described}
        rows = gallery_rows(
            self._database,
            model=self._model,
            since_us=min(picture.captured_at_us for picture in described),
            identities=persons_of(self._database, sightings),
        )
        for identity, look in looks_of(row for row in rows if row.sighting in sightings):
            if look.sighting is not None:
                self._gallery.move(look.sighting, None)
            if len(self._gallery.looks(identity)) < MOST_LOOKS:
                self._gallery.add(identity, look)

    def _move(self, change: Changed) -> bool:
        """Whether nothing remains to be done."""
        was_there = self._memory.move(change.sighting, change.identity, is_final=change.is_pinned)
        return was_there or change.identity is None

    def _add(self, absent: list[Changed], reading: Writing) -> None:
        """Visits that nobody was known by, or that were forgotten, are somebody's now."""
        if not absent:
            return
        wanted = {change.sighting for change in absent}
        people = {change.identity for change in absent if change.identity is not None}
        found = partial(gallery_rows, self._database, model=self._model, identities=people)
        rows = reading(lambda: [row for row in found() if row.sighting in wanted])
        for identity, look in looks_of(rows):
            self._gallery.add(identity, look)
