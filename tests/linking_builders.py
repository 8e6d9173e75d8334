"""Made-up people, looks and ways for the linker."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from models.types import Crop, Embeddings, ModelId
from pipeline.linking.config import LinkingConfig
from pipeline.linking.gallery import Gallery, Look, Path
from pipeline.linking.linker import link
from pipeline.linking.topology import Transits
from pipeline.types import TrackKey, Tracklet
from storage.types import IdentityId, NewLink, SightingId
from streams.types import CameraId, Modality

D = 16
SECOND = 1_000_000
VIS, IR = Modality.VISIBLE, Modality.INFRARED
ANNA, BEN = IdentityId(1), IdentityId(2)


class AsTheyAre:
    """A calibration that takes nothing from looks before they are compared."""

    def centre(self, light: Modality) -> npt.NDArray[np.float64] | None:
        del light
        return None


class Steep(AsTheyAre):
    """Similarity 0.5 says nothing; each 0.1 above it makes "same" ten times likelier."""

    name = "steep"

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        weight = 10.0 if a is b else 5.0
        return math.pow(10.0, weight * (similarity - 0.5))


def direction(
    axis: int, *, towards: int | None = None, cosine: float = 1.0
) -> npt.NDArray[np.float32]:
    vector = np.zeros(D, np.float32)
    vector[axis] = cosine
    if towards is not None:
        vector[towards] = math.sqrt(1 - cosine**2)
    return vector


class KnownWay:
    """People need 9 to 15 s from the gate to the plaza; of other ways nothing is known."""

    def log_ratio(self, a: CameraId, b: CameraId, gap_s: float) -> float:
        if (a, b) != ("gate", "plaza"):
            return 0.0
        return 3.0 if 9 <= gap_s <= 15 else -3.0

    def describe(self, a: CameraId, b: CameraId, gap_s: float) -> str | None:
        return f"{gap_s:.0f} s after {a}, usual 9 to 15 s" if (a, b) == ("gate", "plaza") else None


def look(
    vector: npt.NDArray[np.float32],
    *,
    camera: str = "gate",
    at_s: float = 0,
    light: Modality = VIS,
    sighting: int | None = None,
    track: str | None = None,
    is_open: bool = False,
    path: Path | None = None,
) -> Look:
    return Look(
        camera=CameraId(camera),
        first_seen_us=int(at_s * SECOND),
        last_seen_us=int((at_s + 5) * SECOND),
        means={light: vector},
        sighting=None if sighting is None else SightingId(sighting),
        track=None if track is None else TrackKey(track),
        is_open=is_open,
        path=path,
    )


def standing(x_m: float, *, at_s: float, lasts_s: float = 5) -> Path:
    """Somebody on one spot of the ground, told twice a second."""
    times = np.arange(at_s, at_s + lasts_s + 0.1, 0.5) * SECOND
    return np.column_stack([times, np.full(len(times), x_m), np.zeros(len(times))])


def tracklet(
    *, camera: str = "plaza", at_s: float = 100, light: Modality = VIS, quality: float = 1.0
) -> Tracklet:
    times = np.array([at_s * SECOND, (at_s + 5) * SECOND], np.int64)
    return Tracklet(
        camera=CameraId(camera),
        track=TrackKey(f"{camera}/{int(at_s)}/1"),
        part=0,
        times_us=times,
        boxes=np.tile(np.array([0, 0, 10, 30], np.float32), (2, 1)),
        scores=np.ones(2, np.float32),
        modality=light,
        crops=(
            Crop(
                camera=CameraId(camera),
                modality=light,
                captured_at_us=int(times[0]),
                box=(0, 0, 10, 30),
                pixels=np.zeros((30, 10, 3), np.uint8),
                quality=quality,
            ),
        ),
    )


def seen_as(vector: npt.NDArray[np.float32], light: Modality = VIS) -> Embeddings:
    return Embeddings(vectors=vector[None].copy(), modality=(light,), model=ModelId("test@0"))


def gallery_of(*people: Look) -> Gallery:
    """Anna, Ben, Carl, ... in this order."""
    gallery = Gallery(D)
    for number, person in enumerate(people, start=1):
        gallery.add(IdentityId(number), person)
    return gallery


def decide(
    gallery: Gallery,
    vector: npt.NDArray[np.float32],
    *,
    of: Tracklet | None = None,
    light: Modality = VIS,
    config: LinkingConfig | None = None,
    transits: Transits | None = None,
    path: Path | None = None,
) -> NewLink:
    return link(
        of or tracklet(light=light),
        seen_as(vector, light),
        gallery=gallery,
        calibration=Steep(),
        config=config or LinkingConfig(link_at=0.9),
        qualities=[crop.quality for crop in of.crops] if of else [1.0],
        transits=transits,
        path=path,
    )
