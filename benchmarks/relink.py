"""Tracklets through the linker once more, with other settings or another network: no video.

The watcher's own `Memory`, `SecondThoughts` and `learn_topology` do with a tracklet what they do in
the watcher, at the same times of the footage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.link_pictures import KeptEmbedder, content_of
from models.reid.calibration import Calibration
from models.reid.embedder import Embedder
from models.types import Crop, ModelId
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery
from pipeline.run.refining import SecondThoughts
from pipeline.run.remember import Memory, until_written
from pipeline.transit_times import learn_topology
from pipeline.types import TrackKey, Tracklet
from storage.database import Database, open_database
from storage.evidence import EvidenceStore
from storage.exemplars import stored_exemplars
from storage.sightings import sightings, trail_of
from storage.types import Exemplar, Sighting
from streams.pictures import from_file
from streams.types import CameraId

_LEARN_EVERY_US = 600_000_000
"""Ways between cameras are learned anew so often."""
_SCORE = 0.8
"""Of detections that are told again; linking does not look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """What is switched off.

    Attributes:
        transit: The time between two cameras says nothing.
        constraints: Everybody may be in several cameras at once (in one camera never).
        refine: Nothing is reconsidered.
    """

    transit: bool = False
    constraints: bool = False
    refine: bool = False

    def settings(self, linking: LinkingConfig, cameras: Iterable[str]) -> LinkingConfig:
        """The same settings without it."""
        changes: dict[str, object] = {}
        if self.transit:
            changes["topology"] = linking.topology.model_copy(update={"cap": 0.0})
            changes["transits"] = ()
        if self.constraints:
            changes["overlapping"] = tuple(combinations(sorted(cameras), 2))
        if self.refine:
            changes["refine"] = linking.refine.model_copy(update={"enabled": False})
        return linking.model_copy(update=changes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """What a watched site recorded, ready to be told again.

    Attributes:
        tracklets: In the order in which they were recorded.
        vectors: Of their crops, as stored.
    """

    tracklets: tuple[Tracklet, ...]
    vectors: KeptEmbedder


def recording_of(database: Database, evidence: EvidenceStore) -> Recording:
    """Every stored sighting as the tracklet it was, with its crops as the evidence shows them.

    Times and boxes are those of the trail, twice a second.
    """
    found = sorted(sightings(database), key=lambda each: each.id)
    crops = stored_exemplars(database, [each.id for each in found])
    vectors: dict[str, npt.NDArray[np.float32]] = {}
    tracklets = []
    for each in found:
        pictures = []
        for exemplar in crops.get(each.id, ()):
            if exemplar.evidence is None:
                continue
            crop = _crop(exemplar, each.camera, evidence.get(exemplar.evidence))
            vectors[content_of(crop)] = exemplar.vector
            pictures.append(crop)
        tracklets.append(_tracklet(each, trail_of(database, each.id), pictures))
    model = ModelId(found[0].model if found else "")
    return Recording(tracklets=tuple(tracklets), vectors=KeptEmbedder(model, vectors))


def relinked(
    tracklets: Sequence[Tracklet],
    folder: Path,
    *,
    embedder: Embedder,
    calibration: Calibration,
    linking: LinkingConfig,
    grounds: Mapping[CameraId, npt.ArrayLike] | None = None,
) -> str:
    """Link and record tracklets, in their order, in a new database in `folder`; its address.

    Args:
        grounds: Of cameras whose ground is known, the homography from pixels to metres, (3, 3).
    """
    url = f"sqlite:///{folder / 'site.db'}"
    with open_database(url, create=True) as database:
        gallery = Gallery(embedder.dimension)
        memory = Memory(
            database=database,
            evidence=EvidenceStore(folder / "evidence"),
            embedder=embedder,
            calibration=calibration,
            gallery=gallery,
            config=linking,
            listener=lambda *_: None,
            grounds=grounds,
        )
        second_thoughts = SecondThoughts(
            database=database,
            memory=memory,
            gallery=gallery,
            model=embedder.model,
            calibration=calibration,
            config=linking,
            writing=until_written,
            transits=partial(learn_topology, database, linking),
        )
        learnt_us: int | None = None
        for tracklet in tracklets:
            if learnt_us is None or tracklet.last_seen_us >= learnt_us + _LEARN_EVERY_US:
                learnt_us = tracklet.last_seen_us
                memory.use_transits(learn_topology(database, linking))
            memory.remember(tracklet)
            second_thoughts.after(tracklet)
        if linking.refine.enabled:
            second_thoughts.run()
    return url


def _crop(exemplar: Exemplar, camera: CameraId, jpeg: bytes) -> Crop:
    pixels = from_file(jpeg)
    if pixels is None:
        raise ValueError(f"evidence {exemplar.evidence} is not a picture")
    return Crop(
        camera=camera,
        modality=exemplar.modality,
        captured_at_us=exemplar.captured_at_us,
        box=exemplar.box,
        pixels=pixels,
        quality=exemplar.quality,
    )


def _tracklet(
    sighting: Sighting, trail: npt.NDArray[np.float64], crops: Sequence[Crop]
) -> Tracklet:
    return Tracklet(
        camera=sighting.camera,
        track=TrackKey(sighting.track),
        part=sighting.part,
        times_us=trail[:, 0].astype(np.int64),
        boxes=trail[:, 1:].astype(np.float32),
        scores=np.full(len(trail), _SCORE, np.float32),
        modality=sighting.modality,
        crops=tuple(crops),
    )
