"""Second thoughts in the watcher and on demand: read the last hours, think, write, tell the memory.

Everything here runs on the thread that owns the gallery. Time is that of the footage, so a
recording has the same second thoughts whenever it is watched.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.linking.centre import Centre
from pipeline.linking.config import LinkingConfig
from pipeline.linking.evidence import Calibrated, OnSite, means_around_centre
from pipeline.linking.gallery import Gallery, Look, means_by_light, trust_of
from pipeline.linking.refine.refine import refine
from pipeline.linking.strangers import Strangers
from pipeline.linking.topology import Transits
from pipeline.run.remember import Memory, Writing
from pipeline.types import TrackKey, Tracklet
from storage.database import Database
from storage.refinement import Rethought, Revisit, Revisited, rethink, revisit, verdicts_about
from storage.types import IdentityId, SightingId, Span

logger = logging.getLogger(__name__)

_HOUR_US = 3_600_000_000
_MINUTE_US = 60_000_000
_LONG_S = 10.0
"""Longer second thoughts are worth a word to the operator: nobody is recognised meanwhile."""

Changed = dict[SightingId, IdentityId | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thoughts:
    """What was reconsidered, and what would change.

    Attributes:
        batches: Decisions, one transaction each.
    """

    found: Revisit
    batches: Sequence[Sequence[Rethought]]

    @property
    def n_changes(self) -> int:
        """Visits about which something else is said."""
        return sum(map(len, self.batches))


def think(
    database: Database,
    span: Span,
    *,
    model: str,
    calibration: Calibrated,
    config: LinkingConfig,
    transits: Transits | None = None,
) -> Thoughts:
    """Reconsider the visits that reach into `span`; nothing is written."""
    found = revisit(
        database,
        model=model,
        span=span,
        horizon_us=int(config.horizon_h * _HOUR_US),
        max_tracks=config.refine.max_tracks,
    )
    if found.n_left_out:
        logger.warning(
            "%d tracks are too many to be reconsidered at once; only those since %s are. Raise "
            "linking.refine.max_tracks or lower window_h",
            found.n_left_out + config.refine.max_tracks,
            np.datetime64(found.span.from_us or 0, "us"),
        )
    said = verdicts_about(database, [visit.id for visit in (*found.visits, *found.context)])
    here = _as_here(calibration, found)
    batches = refine(found, said, calibration=here, config=config, transits=transits)
    return Thoughts(found=found, batches=batches)


def write_down(
    database: Database,
    thoughts: Thoughts,
    *,
    now_us: int,
    writing: Writing | None = None,
) -> Changed:
    """Append the decisions, batch by batch; a crash in between leaves whole batches.

    Returns:
        Who the changed visits show now.
    """
    changed: Changed = {}
    for batch in thoughts.batches:
        write = partial(rethink, database, batch, now_us=now_us)
        changed |= writing(write) if writing is not None else write()
    return changed


class SecondThoughts:
    """Reconsiders the last hours now and then. Used by the thread that owns memory and gallery.

    Args:
        model: Of the network in use.
        transits: Asked each time for what is known of the ways between cameras.
        writing: What to do while the database is away.
    """

    def __init__(
        self,
        *,
        database: Database,
        memory: Memory,
        gallery: Gallery,
        model: str,
        calibration: Calibrated,
        config: LinkingConfig,
        writing: Writing,
        transits: Callable[[], Transits | None] = lambda: None,
    ) -> None:
        self._database = database
        self._memory = memory
        self._gallery = gallery
        self._model = model
        self._calibration = calibration
        self._config = config
        self._writing = writing
        self._transits = transits
        self._due_us: int | None = None
        self._newest_us: int | None = None

    def after(self, tracklet: Tracklet) -> None:
        """Told of each tracklet that was remembered; thinks when it is time."""
        if not self._config.refine.enabled:
            return
        self._newest_us = max(self._newest_us or 0, tracklet.last_seen_us)
        every_us = int(self._config.refine.every_min * _MINUTE_US)
        if self._due_us is None:
            self._due_us = self._newest_us + every_us
        elif self._newest_us >= self._due_us:
            self._due_us = self._newest_us + every_us
            self.run()

    def run(self) -> Changed:
        """Think about the hours before the newest tracklet; nothing if there was none."""
        if self._newest_us is None:
            return {}
        started_s = time.perf_counter()
        window_us = int(self._config.refine.window_h * _HOUR_US)
        thoughts = self._writing(
            partial(
                think,
                self._database,
                Span(from_us=self._newest_us - window_us),
                model=self._model,
                calibration=self._calibration,
                config=self._config,
                transits=self._transits(),
            )
        )
        changed = write_down(
            self._database, thoughts, now_us=self._newest_us, writing=self._writing
        )
        visits = {visit.id: visit for visit in thoughts.found.visits}
        for sighting, identity in changed.items():
            if not self._memory.move(sighting, identity) and identity is not None:
                self._gallery.add(identity, _look_of(visits[sighting]))
        took_s = time.perf_counter() - started_s
        if changed or took_s > _LONG_S:
            logger.info(
                "second thoughts about %d visits changed %d, in %.1f s",
                len(visits),
                len(changed),
                took_s,
            )
        return changed


def _as_here(calibration: Calibrated, found: Revisit) -> Calibrated:
    """A calibration among the people of these hours: around what they have in common, and held
    against how alike they look who were in one picture together."""
    visits = sorted((*found.visits, *found.context), key=lambda v: (v.first_seen_us, v.id))
    means = [means_by_light(visit.vectors, visit.modalities) for visit in visits]
    centre = Centre()
    for visit, look in zip(visits, means, strict=True):
        if visit.identity is not None:
            centre.add(visit.identity, look)
    site = OnSite(calibration, centre)
    strangers = Strangers()
    for visit, look in zip(visits, means, strict=True):
        strangers.see(
            visit.camera,
            visit.track,
            first_seen_us=visit.first_seen_us,
            last_seen_us=visit.last_seen_us,
            means=means_around_centre(look, site),
        )
    return strangers.correct(site)


def _look_of(visit: Revisited) -> Look:
    return Look(
        camera=visit.camera,
        first_seen_us=visit.first_seen_us,
        last_seen_us=visit.last_seen_us,
        means=means_by_light(visit.vectors, visit.modalities),
        sighting=visit.id,
        track=TrackKey(visit.track),
        trust=trust_of(visit.qualities),
    )
