"""Tracklets become sightings: embed, link, keep the evidence, write one transaction."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from models.reid.embedder import Embedder
from models.types import Crop, Embeddings
from pipeline.linking.config import LinkingConfig
from pipeline.linking.evidence import Calibrated, OnSite, means_around_centre
from pipeline.linking.gallery import Gallery, Look, Path, Vector, mean_look, trust_of
from pipeline.linking.linker import continued, link
from pipeline.linking.strangers import Strangers
from pipeline.linking.topology import Transits
from pipeline.run.pictures import Album, EmbeddedOnce
from pipeline.run.trails import path_on, trail
from pipeline.run.writing import Writing as Writing
from pipeline.run.writing import until_written as until_written
from pipeline.types import TrackKey, Tracklet
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.sightings import record_sighting, relink
from storage.types import (
    Decision,
    Exemplar,
    IdentityId,
    NewLink,
    NewSighting,
    Recorded,
    SightingId,
)
from streams.types import CameraId, Modality

UNRECOGNISABLE = "no picture was good enough to recognise anybody"
LEFT_TO_NOBODY = "an operator left this view to nobody"

_HOUR_US = 3_600_000_000
_REMEMBERED_TRACKS = 4096
"""Tracks whose next part may still come; far more than can be open at once."""
_PICTURES_WHEN_KNOWN = 2
"""Of each light, embedded of a further part of a view whose person is known: one may be a lucky
frame, more would cost as much as recognising somebody new."""


@dataclass(slots=True)
class _OpenTrack:
    """What earlier parts of a track told."""

    first_seen_us: int
    identity: IdentityId | None = None
    is_final: bool = False
    qualities: list[float] = field(default_factory=list)
    undecided: dict[SightingId, Look] = field(default_factory=dict)
    sightings: list[SightingId] = field(default_factory=list)
    embeddings: list[Embeddings] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remembered:
    """A tracklet as it was recorded.

    Attributes:
        means: Per modality, the unit mean of its vectors; may be empty.
        trust: How far its pictures can be trusted, [0, 1].
    """

    sighting: NewSighting
    recorded: Recorded
    means: Mapping[Modality, Vector]
    trust: float
    is_last: bool


class Memory:
    """Owns the gallery and the way into the database. Used by one thread.

    Args:
        gallery: Filled from the database, of the embedder's network.
        listener: Called after each committed sighting.
        transits: What is known of the ways between cameras, to begin with.
        grounds: Of cameras whose ground is known, the homography from pixels to metres, (3, 3).
        writing: What to do while the database is away; `until_written` if not given.
        strangers: What earlier visits told of how alike people look here.
    """

    def __init__(
        self,
        *,
        database: Database,
        evidence: EvidenceStore,
        embedder: Embedder,
        calibration: Calibrated,
        gallery: Gallery,
        config: LinkingConfig,
        listener: Callable[[Recorded, NewLink], None],
        transits: Transits | None = None,
        grounds: Mapping[CameraId, npt.ArrayLike] | None = None,
        writing: Writing | None = None,
        strangers: Strangers | None = None,
    ) -> None:
        self._database = database
        self._album = Album(evidence)
        self._vectors = EmbeddedOnce(embedder)
        self._calibration = OnSite(calibration, gallery.centre)
        self._strangers = strangers or Strangers()
        self._gallery = gallery
        self._config = config
        self._listener = listener
        self._transits = transits
        self._grounds = dict(grounds or {})
        self._tracks: OrderedDict[TrackKey, _OpenTrack] = OrderedDict()
        self._until_written = writing or until_written

    def remember(self, tracklet: Tracklet) -> Remembered:
        """Record a tracklet as a sighting, once: a known key changes nothing."""
        track = self._track(tracklet)
        tracklet = replace(tracklet, crops=self._worth_embedding(tracklet, track))
        embeddings = self._vectors.tell(tracklet, tracklet.crops)
        means = mean_look(embeddings)
        self._strangers.see(
            tracklet.camera,
            tracklet.track,
            first_seen_us=tracklet.first_seen_us,
            last_seen_us=tracklet.last_seen_us,
            means=means_around_centre(means, self._calibration),
        )
        path = self._path(tracklet)
        decision = self._decide(tracklet, embeddings, track, path)
        sighting = self._sighting(tracklet, embeddings, decision)
        recorded = self._until_written(
            lambda: record_sighting(self._database, sighting, now_us=tracklet.last_seen_us)
        )
        look = Look(
            camera=tracklet.camera,
            first_seen_us=tracklet.first_seen_us,
            last_seen_us=tracklet.last_seen_us,
            means=means,
            sighting=recorded.sighting,
            track=tracklet.track,
            path=path,
            is_open=not tracklet.is_last,
            trust=trust_of([crop.quality for crop in tracklet.crops]),
        )
        self._learn(tracklet, look, decision, recorded, track)
        if tracklet.is_last:
            self._tracks.pop(tracklet.track, None)
        self._listener(recorded, decision)
        return Remembered(
            sighting=sighting,
            recorded=recorded,
            means=means,
            trust=trust_of([crop.quality for crop in tracklet.crops]),
            is_last=tracklet.is_last,
        )

    def first_look(self, view: Tracklet) -> NewLink | None:
        """Who it may be whose view goes on. Nothing is recorded, and nobody learns from it.

        Args:
            view: Its part so far, with pictures that no look before had.

        Returns:
            None if it is known who it is, or nothing can be said yet.
        """
        track = self._tracks.get(view.track) or _OpenTrack(view.first_seen_us)
        crops = self._worth_embedding(view, track)
        if track.identity is not None or track.is_final or not crops:
            return None
        looked = self._vectors.look(view, crops)
        path = self._path(view)
        found = self._link(
            view,
            [*track.embeddings, looked.embeddings],
            qualities=[*track.qualities, *looked.qualities],
            since_us=track.first_seen_us,
            paths=track.paths if path is None else [*track.paths, path],
        )
        if found.candidate is None or self._is_of_today(found.candidate, view):
            return found
        return None

    def use_transits(self, transits: Transits | None) -> None:
        """From now on the ways between cameras are these."""
        self._transits = transits

    def move(
        self, sighting: SightingId, identity: IdentityId | None, *, is_final: bool = False
    ) -> bool:
        """Follow a verdict or a second thought: a visit is somebody else's, or nobody's.

        Args:
            is_final: An operator said so: what comes of the same view stays that, also nobody's.

        Returns:
            Whether the visit is in the gallery; if not, and it is somebody's, add its look there.
        """
        for track in self._tracks.values():
            if sighting in track.sightings:
                track.undecided.pop(sighting, None)
                track.identity = identity
                track.is_final = is_final
                if is_final:
                    track.undecided.clear()
        return self._gallery.move(sighting, identity, is_confirmed=is_final)

    def drop(self, identity: IdentityId) -> None:
        """Follow an erasure: a person is not known any more."""
        for track in self._tracks.values():
            if track.identity == identity:
                track.identity = None
        self._gallery.drop(identity)

    def _track(self, tracklet: Tracklet) -> _OpenTrack:
        key = tracklet.track
        track = self._tracks.setdefault(key, _OpenTrack(tracklet.first_seen_us))
        self._tracks.move_to_end(key)
        if len(self._tracks) > _REMEMBERED_TRACKS:
            self._tracks.popitem(last=False)
        return track

    def _worth_embedding(self, tracklet: Tracklet, track: _OpenTrack) -> tuple[Crop, ...]:
        """Pictures of some quality; of somebody known already, the best few of each light."""
        good = [crop for crop in tracklet.crops if crop.quality >= self._config.min_quality]
        if track.identity is None:
            return tuple(good)
        n_taken: Counter[Modality] = Counter()
        chosen: list[Crop] = []
        for crop in good:
            if n_taken[crop.modality] < _PICTURES_WHEN_KNOWN:
                n_taken[crop.modality] += 1
                chosen.append(crop)
        return tuple(chosen)

    def _path(self, tracklet: Tracklet) -> Path | None:
        homography = self._grounds.get(tracklet.camera)
        return None if homography is None else path_on(tracklet, homography)

    def _decide(
        self, tracklet: Tracklet, embeddings: Embeddings, track: _OpenTrack, path: Path | None
    ) -> NewLink:
        if track.identity is not None:
            return continued(
                track.identity,
                tracklet.part,
                calibration=self._calibration.name,
                threshold=self._config.links_from,
            )
        if track.is_final:
            return _unsure(LEFT_TO_NOBODY, self._calibration.name, self._config.links_from)
        if path is not None:
            track.paths.append(path)
        if len(embeddings):
            track.embeddings.append(embeddings)
            track.qualities += [crop.quality for crop in tracklet.crops]
        if not track.embeddings:
            return _unsure(UNRECOGNISABLE, self._calibration.name, self._config.links_from)
        self._gallery.forget_before(
            tracklet.first_seen_us - int(self._config.horizon_h * _HOUR_US),
            past_us=tracklet.first_seen_us - int(self._config.suggest_h * _HOUR_US),
        )
        return self._link(
            tracklet,
            track.embeddings,
            qualities=track.qualities,
            since_us=track.first_seen_us,
            paths=track.paths,
        )

    def _link(
        self,
        tracklet: Tracklet,
        embeddings: list[Embeddings],
        *,
        qualities: list[float],
        since_us: int,
        paths: list[Path],
    ) -> NewLink:
        return link(
            tracklet,
            _joined(embeddings),
            gallery=self._gallery,
            calibration=self._strangers.correct(self._calibration),
            config=self._config,
            qualities=qualities,
            since_us=since_us,
            transits=self._transits,
            path=np.concatenate(paths) if paths else None,
        )

    def _is_of_today(self, identity: IdentityId, view: Tracklet) -> bool:
        """Whether its looks are still compared; older ones are forgotten when views are told."""
        oldest_us = view.first_seen_us - int(self._config.horizon_h * _HOUR_US)
        looks = self._gallery.looks(identity)
        return any(look.is_confirmed or look.last_seen_us >= oldest_us for look in looks)

    def _learn(
        self,
        tracklet: Tracklet,
        look: Look,
        decision: NewLink,
        recorded: Recorded,
        track: _OpenTrack,
    ) -> None:
        """Let later tracklets profit from this one; decide earlier parts of the same track."""
        track.sightings.append(recorded.sighting)
        if recorded.identity is None:
            track.undecided[recorded.sighting] = look
            return
        track.identity = recorded.identity
        if recorded.was_known:
            return
        self._settle(track, recorded.identity, tracklet, decision)
        self._gallery.add(recorded.identity, look)
        track.embeddings.clear()
        track.undecided.clear()
        track.paths.clear()

    def _settle(
        self, track: _OpenTrack, identity: IdentityId, tracklet: Tracklet, decision: NewLink
    ) -> None:
        """Earlier parts of an unbroken view show whom this part shows."""
        settled = continued(
            identity,
            tracklet.part,
            calibration=decision.calibration,
            threshold=decision.threshold,
        )
        for sighting, look in track.undecided.items():
            self._until_written(
                partial(
                    relink,
                    self._database,
                    sighting,
                    settled,
                    made_by="linker",
                    now_us=tracklet.last_seen_us,
                )
            )
            self._gallery.add(identity, look)

    def _sighting(
        self, tracklet: Tracklet, embeddings: Embeddings, decision: NewLink
    ) -> NewSighting:
        return NewSighting(
            key=f"{tracklet.track}/{tracklet.part}",
            track=tracklet.track,
            part=tracklet.part,
            camera=tracklet.camera,
            modality=tracklet.modality,
            first_seen_us=tracklet.first_seen_us,
            last_seen_us=tracklet.last_seen_us,
            n_frames=len(tracklet.times_us),
            trail=trail(tracklet),
            model=self._vectors.model,
            exemplars=tuple(
                Exemplar(
                    vector=vector,
                    modality=crop.modality,
                    captured_at_us=crop.captured_at_us,
                    box=crop.box,
                    quality=crop.quality,
                    evidence=self._album.keep(crop),
                )
                for crop, vector in zip(tracklet.crops, embeddings.vectors, strict=True)
            ),
            link=decision,
        )


def _joined(parts: list[Embeddings]) -> Embeddings:
    return Embeddings(
        vectors=np.concatenate([part.vectors for part in parts]),
        modality=tuple(modality for part in parts for modality in part.modality),
        model=parts[0].model,
    )


def _unsure(reason: str, calibration: str, threshold: float) -> NewLink:
    return NewLink(
        decision=Decision.UNSURE,
        identity=None,
        candidate=None,
        probability=None,
        threshold=threshold,
        runner_up=None,
        runner_up_probability=None,
        reason=reason,
        calibration=calibration,
    )
