"""Tracklets become sightings: embed, link, keep the evidence, write one transaction."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from models.reid.embedder import Embedder
from models.types import Crop, Embeddings
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery, Look, mean_look
from pipeline.linking.linker import Calibrated, continued, link
from pipeline.types import TrackKey, Tracklet
from storage.database import Database
from storage.errors import DiskFull
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

logger = logging.getLogger(__name__)

_TRAIL_STEP_US = 500_000
_JPEG_QUALITY = 92
_REMEMBERED_TRACKS = 4096
"""Tracks whose next part may still come; far more than can be open at once."""


@dataclass(slots=True)
class _OpenTrack:
    """What earlier parts of a track told."""

    identity: IdentityId | None = None
    undecided: list[SightingId] = field(default_factory=list)
    embeddings: list[Embeddings] = field(default_factory=list)


class Memory:
    """Owns the gallery and the way into the database. Used by one thread.

    Args:
        gallery: Filled from the database, of the embedder's network.
        listener: Called after each committed sighting.
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
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._embedder = embedder
        self._calibration = calibration
        self._gallery = gallery
        self._config = config
        self._listener = listener
        self._tracks: OrderedDict[TrackKey, _OpenTrack] = OrderedDict()
        self._evidence_failed = False

    def remember(self, tracklet: Tracklet) -> None:
        """Record a tracklet as a sighting, once: a known key changes nothing."""
        track = self._track(tracklet.track)
        embeddings = self._embedder.embed(tracklet.crops)
        decision = self._decide(tracklet, embeddings, track)
        recorded = record_sighting(
            self._database,
            self._sighting(tracklet, embeddings, decision),
            now_us=tracklet.last_seen_us,
        )
        self._learn(tracklet, embeddings, decision, recorded, track)
        self._listener(recorded, decision)

    def _track(self, key: TrackKey) -> _OpenTrack:
        track = self._tracks.setdefault(key, _OpenTrack())
        self._tracks.move_to_end(key)
        if len(self._tracks) > _REMEMBERED_TRACKS:
            self._tracks.popitem(last=False)
        return track

    def _decide(self, tracklet: Tracklet, embeddings: Embeddings, track: _OpenTrack) -> NewLink:
        if track.identity is not None:
            return continued(
                track.identity,
                tracklet.part,
                calibration=self._calibration.name,
                threshold=self._config.link_at,
            )
        if len(embeddings):
            track.embeddings.append(embeddings)
        if not track.embeddings:
            return _unrecognisable(self._calibration.name, self._config.link_at)
        self._gallery.forget_before(
            tracklet.first_seen_us - int(self._config.horizon_h * 3_600_000_000)
        )
        return link(
            tracklet,
            _joined(track.embeddings),
            gallery=self._gallery,
            calibration=self._calibration,
            config=self._config,
        )

    def _learn(
        self,
        tracklet: Tracklet,
        embeddings: Embeddings,
        decision: NewLink,
        recorded: Recorded,
        track: _OpenTrack,
    ) -> None:
        """Let later tracklets profit from this one; decide earlier parts of the same track."""
        if recorded.identity is None:
            track.undecided.append(recorded.sighting)
            return
        first_decision = track.identity is None
        track.identity = recorded.identity
        if recorded.was_known:
            return
        if first_decision:
            for sighting in track.undecided:
                relink(
                    self._database,
                    sighting,
                    continued(
                        recorded.identity,
                        tracklet.part,
                        calibration=decision.calibration,
                        threshold=decision.threshold,
                    ),
                    made_by="linker",
                    now_us=tracklet.last_seen_us,
                )
        if len(embeddings):
            look = Look(
                camera=tracklet.camera,
                first_seen_us=tracklet.first_seen_us,
                last_seen_us=tracklet.last_seen_us,
                means=mean_look(embeddings),
            )
            self._gallery.add(recorded.identity, look)
        track.embeddings.clear()
        track.undecided.clear()

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
            trail=_trail(tracklet),
            model=self._embedder.model,
            exemplars=tuple(
                Exemplar(
                    vector=vector,
                    modality=crop.modality,
                    captured_at_us=crop.captured_at_us,
                    box=crop.box,
                    quality=crop.quality,
                    evidence=self._keep(crop),
                )
                for crop, vector in zip(tracklet.crops, embeddings.vectors, strict=True)
            ),
            link=decision,
        )

    def _keep(self, crop: Crop) -> str | None:
        """Evidence of a crop; a full disk costs the picture, never the sighting."""
        try:
            sha256 = self._evidence.put(to_jpeg(crop.pixels))
        except DiskFull as error:
            if not self._evidence_failed:
                logger.error("sightings are kept without pictures: %s", error)
            self._evidence_failed = True
            return None
        if self._evidence_failed:
            logger.info("pictures of sightings are kept again")
        self._evidence_failed = False
        return sha256


def to_jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 RGB as a JPEG; the same pixels give the same bytes."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()


def _joined(parts: list[Embeddings]) -> Embeddings:
    return Embeddings(
        vectors=np.concatenate([part.vectors for part in parts]),
        modality=tuple(modality for part in parts for modality in part.modality),
        model=parts[0].model,
    )


def _trail(tracklet: Tracklet) -> npt.NDArray[np.float64]:
    """(M, 5) time and box about twice a second, first and last included."""
    step = (tracklet.times_us - tracklet.times_us[0]) // _TRAIL_STEP_US
    keep = np.append(np.flatnonzero(np.diff(step, prepend=-1)), len(step) - 1)
    keep = np.unique(keep)
    return np.column_stack([tracklet.times_us[keep], tracklet.boxes[keep]]).astype(np.float64)


def _unrecognisable(calibration: str, threshold: float) -> NewLink:
    return NewLink(
        decision=Decision.UNSURE,
        identity=None,
        candidate=None,
        probability=None,
        threshold=threshold,
        runner_up=None,
        runner_up_probability=None,
        reason="no picture was good enough to recognise anybody",
        calibration=calibration,
    )
