"""Pictures of people: embedded once, kept as evidence."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.reid.embedder import Embedder
from models.types import Crop, Embeddings
from pipeline.linking.gallery import Vector
from pipeline.types import TrackKey, Tracklet
from storage.errors import DiskFull
from storage.evidence import EvidenceStore
from streams.pictures import to_jpeg
from streams.types import Modality

logger = logging.getLogger(__name__)

_MOST_VIEWS = 256
"""Open views whose vectors are kept: more than are open at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Embedded:
    """A picture that was embedded, without its pixels."""

    vector: Vector
    modality: Modality
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looked:
    """Pictures of an open view that were looked at so far.

    Attributes:
        qualities: (N,) of the pictures, in [0, 1].
    """

    embeddings: Embeddings
    qualities: tuple[float, ...]


class EmbeddedOnce:
    """Vectors of pictures; those of an open view are kept until it is told. Used by one thread.

    A view has one picture of a moment, so its key and the time name a picture.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.model = embedder.model
        self._embedder = embedder
        self._kept: OrderedDict[TrackKey, dict[int, _Embedded]] = OrderedDict()

    def look(self, view: Tracklet, crops: Sequence[Crop]) -> Looked:
        """All pictures of the part so far that were looked at, these included.

        Args:
            crops: Of this view, N >= 1; none of them was looked at before.
        """
        vectors = self._embedder.embed(crops).vectors
        kept = self._kept.setdefault(view.track, {})
        self._kept.move_to_end(view.track)
        if len(self._kept) > _MOST_VIEWS:
            self._kept.popitem(last=False)
        for crop, vector in zip(crops, vectors, strict=True):
            kept[crop.captured_at_us] = _Embedded(
                vector=vector, modality=crop.modality, quality=crop.quality
            )
        return Looked(
            embeddings=Embeddings(
                vectors=np.stack([each.vector for each in kept.values()]),
                modality=tuple(each.modality for each in kept.values()),
                model=self.model,
            ),
            qualities=tuple(each.quality for each in kept.values()),
        )

    def tell(self, tracklet: Tracklet, crops: Sequence[Crop]) -> Embeddings:
        """One row for each of these pictures of a part that is told, in their order."""
        kept = self._kept.get(tracklet.track, {})
        fresh = self._embedder.embed([c for c in crops if c.captured_at_us not in kept])
        if len(fresh) < len(crops):
            rows = iter(fresh.vectors)
            known = [kept.get(crop.captured_at_us) for crop in crops]
            fresh = Embeddings(
                vectors=np.stack([next(rows) if each is None else each.vector for each in known]),
                modality=tuple(crop.modality for crop in crops),
                model=self.model,
            )
        self._forget(tracklet)
        return fresh

    def _forget(self, tracklet: Tracklet) -> None:
        kept = self._kept.pop(tracklet.track, {})
        later = {at: each for at, each in kept.items() if at > tracklet.last_seen_us}
        if later and not tracklet.is_last:
            self._kept[tracklet.track] = later


class Album:
    """Pictures as evidence; a full disk costs the picture, never the sighting."""

    def __init__(self, evidence: EvidenceStore) -> None:
        self._evidence = evidence
        self._has_failed = False

    def keep(self, crop: Crop) -> str | None:
        """Its name in the store; None if there is no room."""
        try:
            sha256 = self._evidence.put(to_jpeg(crop.pixels))
        except DiskFull as error:
            if not self._has_failed:
                logger.error("sightings are kept without pictures: %s", error)
            self._has_failed = True
            return None
        if self._has_failed:
            logger.info("pictures of sightings are kept again")
        self._has_failed = False
        return sha256
