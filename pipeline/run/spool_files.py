"""A closed visit, or a gap, as one file: a zip of arrays (each with its CRC), pictures as PNG.

PNG keeps every pixel, so what is remembered later is what would have been remembered at once.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.types import Crop
from pipeline.errors import SpoolDamaged
from pipeline.types import TrackKey, Tracklet
from streams.types import CameraId, Gap, GapReason, Modality

Closed = Tracklet | Gap

SAID = "said"
FASTEST_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]
UNFINISHED_SUFFIX = ".part"


def write_file(place: Path, item: Closed) -> int:
    """Write an item to its place, whole or not at all, and to the disk; how many bytes it takes."""
    content = to_bytes(item)
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(UNFINISHED_SUFFIX)
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(place)
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # a new name is on the disk only when its folder is
    finally:
        os.close(folder)
    return len(content)


def read_file(place: Path) -> Closed:
    """The item that `write_file` put there.

    Raises:
        SpoolDamaged: It is torn, changed, or of a newer program.
    """
    try:
        return from_bytes(place.read_bytes())
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise SpoolDamaged(f"{place} cannot be read: {error}") from error
    except zipfile.BadZipFile as error:
        raise SpoolDamaged(f"{place} is torn or changed: {error}") from error


def to_bytes(item: Closed) -> bytes:
    """The item as the content of a file."""
    if isinstance(item, Gap):
        return _packed({"kind": "gap", **_said_of_gap(item)}, {})
    said = {
        "kind": "visit",
        "camera": item.camera,
        "track": item.track,
        "part": item.part,
        "modality": item.modality.value,
        "is_last": item.is_last,
        "crops": [_said_of_crop(crop) for crop in item.crops],
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "times_us": item.times_us,
        "boxes": item.boxes,
        "scores": item.scores,
    }
    for i, crop in enumerate(item.crops):
        arrays[f"crop{i}"] = _to_png(crop.pixels)
    return _packed(said, arrays)


def from_bytes(content: bytes) -> Closed:
    """What `to_bytes` made; raises what numpy, zipfile and JSON raise if it did not."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        said = json.loads(arrays[SAID].tobytes())
        if said["kind"] == "gap":
            return _to_gap(said)
        crops = tuple(_to_crop(crop, arrays[f"crop{i}"]) for i, crop in enumerate(said["crops"]))
        return Tracklet(
            camera=CameraId(said["camera"]),
            track=TrackKey(said["track"]),
            part=said["part"],
            times_us=arrays["times_us"],
            boxes=arrays["boxes"],
            scores=arrays["scores"],
            modality=Modality(said["modality"]),
            crops=crops,
            is_last=said["is_last"],
        )


def _packed(said: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    words = np.frombuffer(json.dumps(said).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{SAID: words}, **arrays)
    return file.getvalue()


def _said_of_gap(gap: Gap) -> dict[str, Any]:
    return {
        "camera": gap.camera,
        "from_us": int(gap.from_us),
        "to_us": None if gap.to_us is None else int(gap.to_us),
        "reason": gap.reason.value,
    }


def _to_gap(said: dict[str, Any]) -> Gap:
    return Gap(
        camera=CameraId(said["camera"]),
        from_us=said["from_us"],
        to_us=said["to_us"],
        reason=GapReason(said["reason"]),
    )


def _said_of_crop(crop: Crop) -> dict[str, Any]:
    return {
        "camera": crop.camera,
        "modality": crop.modality.value,
        "captured_at_us": int(crop.captured_at_us),
        "box": [float(edge) for edge in crop.box],
        "quality": float(crop.quality),
    }


def _to_crop(said: dict[str, Any], png: npt.NDArray[np.uint8]) -> Crop:
    x0, y0, x1, y1 = said["box"]
    pixels = cv2.imdecode(png, cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise ValueError("a picture is no PNG")
    return Crop(
        camera=CameraId(said["camera"]),
        modality=Modality(said["modality"]),
        captured_at_us=said["captured_at_us"],
        box=(x0, y0, x1, y1),
        pixels=np.ascontiguousarray(pixels, np.uint8),
        quality=said["quality"],
    )


def _to_png(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    done, png = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), FASTEST_PNG)
    if not done:
        raise ValueError(f"picture of shape {pixels.shape} cannot be written as PNG")
    return np.asarray(png, np.uint8)
