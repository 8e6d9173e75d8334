"""First and second thoughts about one gallery, in step with the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from models.reid.calibration import load_calibration
from models.reid.embedder import load_embedder
from pipeline.config import SiteConfig
from pipeline.linking.evidence import Calibrated, OnSite, means_around_centre
from pipeline.linking.gallery import Gallery, fill, looks_of
from pipeline.linking.strangers import Strangers
from pipeline.linking.topology import Topology
from pipeline.run.following import Following
from pipeline.run.refining import SecondThoughts
from pipeline.run.remember import Memory, Remembered, Writing
from pipeline.run.renewal import Renewal
from pipeline.transit_times import learn_topology
from pipeline.types import Tracklet
from storage.changes import newest
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.gallery import gallery as gallery_rows
from storage.types import NewLink, Recorded
from streams.types import CameraId

logger = logging.getLogger(__name__)

_HOUR_US = 3_600_000_000
T = TypeVar("T")


class Minds:
    """Owns the gallery. Used by one thread.

    People of earlier are fetched when the first tracklet tells what time it is, and only as far
    back as they can be compared: starting does not take longer as the database grows.

    Args:
        listener: Called after each committed sighting.
        writing: What to do while the database is away.
    """

    def __init__(
        self,
        config: SiteConfig,
        database: Database,
        *,
        listener: Callable[[Recorded, NewLink], None],
        writing: Writing,
    ) -> None:
        embedder = load_embedder(config.embedder)
        evidence = EvidenceStore(config.storage.evidence, reserve_mb=config.storage.reserve_mb)
        calibration = load_calibration(config.embedder, model=embedder.model)
        self._linking = config.linking
        self._database = database
        self._writing = writing
        self._model = embedder.model
        self._gallery = Gallery(embedder.dimension)
        self.calibration: Calibrated = OnSite(calibration, self._gallery.centre)
        self._strangers = Strangers()
        self._memory = Memory(
            database=database,
            evidence=evidence,
            embedder=embedder,
            calibration=calibration,
            gallery=self._gallery,
            config=config.linking,
            listener=listener,
            transits=learn_topology(database, config.linking),
            grounds={CameraId(c.name): c.ground for c in config.cameras if c.ground is not None},
            writing=writing,
            strangers=self._strangers,
        )
        self._second_thoughts = SecondThoughts(
            database=database,
            memory=self._memory,
            gallery=self._gallery,
            model=self._model,
            calibration=calibration,
            config=config.linking,
            writing=writing,
            transits=self._learn_ways,
        )
        self._following: Following | None = None
        self._renewal = Renewal(database=database, evidence=evidence, embedder=embedder)

    @property
    def model(self) -> str:
        """The network in use."""
        return self._model

    def remember(self, tracklet: Tracklet) -> Remembered:
        """Catch up with what others said, decide, record; now and then think again."""
        if self._following is None:
            self._following = self._writing(lambda: self._recall(tracklet.first_seen_us))
        self._following.catch_up()
        remembered = self._memory.remember(tracklet)
        self._second_thoughts.after(tracklet)
        return remembered

    def first_look(self, view: Tracklet) -> NewLink | None:
        """Who it may be whose view goes on; None if that is known, or nothing can be said yet.

        Until the first view after the start is told, nobody of earlier is remembered, and nothing
        is said. Does not wait for a database.

        Raises:
            Transient: The database is away.
        """
        if self._following is None:
            return None
        self._following.catch_up(reading=_at_once)
        return self._memory.first_look(view)

    def idle(self) -> None:
        """While nobody comes: describe old pictures anew, if the network is a new one."""
        described = self._renewal.step()
        if described and self._following is not None:
            self._writing(partial(self._following.learn, described))

    def conclude(self) -> None:
        """Think again at the end of recorded footage."""
        if self._linking.refine.enabled:
            self._second_thoughts.run()

    def _recall(self, now_us: int) -> Following:
        """Fill the gallery; nothing said from now on is missed."""
        since = newest(self._database)
        hours = max(self._linking.horizon_h, self._linking.suggest_h)
        rows = list(
            gallery_rows(self._database, model=self._model, since_us=now_us - int(hours * _HOUR_US))
        )
        fill(self._gallery, rows)
        for _, look in looks_of(rows):
            self._strangers.see(
                look.camera,
                str(look.sighting),
                first_seen_us=look.first_seen_us,
                last_seen_us=look.last_seen_us,
                means=means_around_centre(look.means, self.calibration),
            )
        if len(self._gallery):
            logger.info("%d people are known from earlier", len(self._gallery))
        return Following(
            database=self._database,
            memory=self._memory,
            gallery=self._gallery,
            model=self._model,
            since=since,
            writing=self._writing,
        )

    def _learn_ways(self) -> Topology:
        """Learned anew for second thoughts, which first thoughts then share."""
        found = learn_topology(self._database, self._linking)
        self._memory.use_transits(found)
        return found


def _at_once(read: Callable[[], T]) -> T:
    return read()
