"""Crops of simulated people, near and far, with their vectors kept beside them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.reid_retrieval import peer
from models.config import EmbedderConfig
from models.datasets.folder import find_crops
from models.datasets.types import LabelledImage, read_pixels
from models.evaluation.calibration import embed_tracklets, fit_tracklets
from models.reid.calibration import Calibration, load_calibration
from models.reid.crops import cut
from models.reid.embedder import Embedder, load_embedder
from models.types import Crop, Embeddings, ModelId
from streams.pictures import to_jpeg
from streams.types import CameraId, Frame, Modality

PEER = "retail-0277"
NEAR_PX, FAR_PX = 200, 64
"""Heights of a person in the picture."""
_MARGIN_PX = 8
_JPEG_QUALITY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where the crops of a visit come from."""

    person: str
    modality: Modality
    lens: int
    is_far: bool


class PeerEmbedder:
    """A visible-only network of the Open Model Zoo in the embedder's place."""

    def __init__(self, xml: Path) -> None:
        content = hashlib.sha256(xml.with_suffix(".bin").read_bytes()).hexdigest()
        self.model = ModelId(f"{PEER}@{content[:12]}")
        self.dimension = 256
        self._network = peer(xml)

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        """One row per crop, in their order; the light is not told to the network."""
        vectors = self._network(crops) if crops else np.empty((0, self.dimension), np.float32)
        return Embeddings(
            vectors=vectors, modality=tuple(crop.modality for crop in crops), model=self.model
        )


class KeptEmbedder:
    """Answers from vectors that were made before, by the content of the crop."""

    def __init__(self, model: ModelId, vectors: dict[str, npt.NDArray[np.float32]]) -> None:
        self.model = model
        self.dimension = len(next(iter(vectors.values())))
        self._vectors = vectors

    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        """One row per crop, in their order.

        Raises:
            KeyError: A crop was never embedded.
        """
        rows = [self._vectors[content_of(crop)] for crop in crops]
        return Embeddings(
            vectors=np.stack(rows) if rows else np.empty((0, self.dimension), np.float32),
            modality=tuple(crop.modality for crop in crops),
            model=self.model,
        )


def content_of(crop: Crop) -> str:
    """Names a crop by its pixels and its light."""
    return hashlib.sha256(crop.pixels.tobytes() + crop.modality.encode()).hexdigest()


def shelves(folder: Path) -> dict[Shelf, list[Crop]]:
    """All crops by person, light, lens and distance, in order of their files."""
    found: defaultdict[Shelf, list[Crop]] = defaultdict(list)
    for image in find_crops(folder):
        lens = int("".join(filter(str.isdigit, image.camera)) or 1)
        pixels = read_pixels(image.path)
        for is_far in (False, True):
            shelf = Shelf(person=image.person, modality=image.modality, lens=lens, is_far=is_far)
            found[shelf].append(_as_seen(pixels, image, FAR_PX if is_far else NEAR_PX))
    return dict(found)


def kept_vectors(folder: Path, crops: Sequence[Crop], embedder: Embedder) -> KeptEmbedder:
    """Vectors of all crops; made once and kept in `folder` by model and content."""
    path = folder / f"vectors-{embedder.model}.npz"
    names = [content_of(crop) for crop in crops]
    if path.is_file():
        with np.load(path) as kept:
            known = dict(zip(kept["content"].tolist(), kept["vectors"], strict=True))
        if set(names) <= set(known):
            return KeptEmbedder(embedder.model, known)
    vectors = embedder.embed(crops).vectors
    partial = path.with_name(f".{path.name}")
    np.savez(partial, content=np.array(names), vectors=vectors)
    partial.replace(path)
    return KeptEmbedder(embedder.model, dict(zip(names, vectors, strict=True)))


def embedder_and_calibration(
    name: str, *, peer_xml: Path | None, fit_to: Sequence[LabelledImage]
) -> tuple[Embedder, Calibration]:
    """Our embedder with the calibration that ships, or the peer fitted to `fit_to`."""
    if name != PEER:
        config = EmbedderConfig(weights=name)
        ours = load_embedder(config)
        return ours, load_calibration(config, model=ours.model)
    if peer_xml is None:
        raise SystemExit(f"--embedder {PEER} needs --peer person-reidentification-{PEER}.xml")
    theirs = PeerEmbedder(peer_xml)
    tracklets = embed_tracklets(fit_to, theirs)
    name = f"{PEER}, fitted to the people of tuning"
    return theirs, fit_tracklets(tracklets, theirs.model, name=name)


def _as_seen(pixels: npt.NDArray[np.uint8], image: LabelledImage, height_px: int) -> Crop:
    """The crop as a camera would give it with the person so high; far ones compressed hard."""
    width_px = round(pixels.shape[1] * height_px / pixels.shape[0])
    small = cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA)
    if height_px == FAR_PX:
        jpeg = np.frombuffer(to_jpeg(small, quality=_JPEG_QUALITY), np.uint8)
        small = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)
    m = _MARGIN_PX
    frame = Frame(
        camera=CameraId(image.camera),
        modality=image.modality,
        captured_at_us=0,
        run=0,
        sequence=0,
        pixels=cv2.copyMakeBorder(small, m, m, m, m, cv2.BORDER_REPLICATE),
    )
    return cut(frame, (m, m, width_px + m, height_px + m))
