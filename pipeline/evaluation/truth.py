"""Reading who truly was where: the simulator's truth, or MOTChallenge rows, one file per camera."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import TruthInvalid
from streams.types import CameraId, Modality

SCHEMA = 2
INDEX = "truth.json"
SUFFIX = ".truth.json"
LEAST_VISIBILITY = 0.1
"""Of whom less shows is not counted, as in the simulator's own MOTChallenge files."""
_MOT_COLUMNS = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrueVideo:
    """The truth of one camera over one span.

    Attributes:
        times_us: (F,) int64, capture time of every frame that was looked at, ascending, F >= 1.
        modality: (F,) light of each frame, or None where truth does not say.
        frame: (N,) int64, row of `times_us`; N may be 0.
        person: (N,) int64, the same number in every camera.
        boxes: (N, 4) float64, xyxy in pixels of the whole person.
        seen: (N, 4) float64, of the part that shows; the same as `boxes` where truth has one box.
    """

    camera: CameraId
    times_us: npt.NDArray[np.int64]
    modality: tuple[Modality, ...] | None
    frame: npt.NDArray[np.int64]
    person: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    seen: npt.NDArray[np.float64]


def read_simulated(path: Path, *, cameras: Iterable[CameraId]) -> list[TrueVideo]:
    """What the simulator wrote beside its videos.

    Args:
        path: Its `truth.json`, one video's `*.truth.json`, or the folder that holds either.
        cameras: Names that sightings carry. A video belongs to the camera that is named like its
            file, else to the one that is named like the camera on the floor plan.

    Raises:
        TruthInvalid: Nothing there, damaged, or of another schema.
    """
    known = set(cameras)
    found = []
    for file in _video_files(path):
        head = _json(file)
        stem = file.name.removesuffix(SUFFIX)
        name = stem if stem in known else str(head.get("camera", stem))
        try:
            found.append(_simulated_video(head, CameraId(name if name in known else stem)))
        except (KeyError, TypeError, ValueError) as error:
            raise TruthInvalid(f"{file}: not the truth of a video: {error!r}") from error
    return found


def read_motchallenge(
    path: Path, *, camera: CameraId, fps: float, starts_at_us: int, left_px: float = 0.0
) -> TrueVideo:
    """Rows `frame, id, left, top, width, height, counts, ...`, frames from 1.

    Rows whose seventh number is 0 are marked as not to be counted, and are not.

    Args:
        left_px: Left edge of the camera's picture in the picture of the rows, where it is a part.

    Raises:
        TruthInvalid: Missing, not such rows, or no row.
    """
    try:
        rows = np.loadtxt(path, delimiter=",", ndmin=2, dtype=np.float64)
    except (OSError, ValueError) as error:
        raise TruthInvalid(
            f"{path}: expected MOTChallenge rows `frame,id,left,top,width,height,...`: {error}"
        ) from error
    if not rows.size or rows.shape[1] < _MOT_COLUMNS or rows[:, 0].min() < 1:
        raise TruthInvalid(
            f"{path}: expected MOTChallenge rows of at least {_MOT_COLUMNS} numbers and frames "
            f"from 1, got {rows.shape[0]} rows of {rows.shape[-1]}"
        )
    if rows.shape[1] > _MOT_COLUMNS:
        rows = rows[rows[:, 6] != 0]
    n_frames = int(rows[:, 0].max(initial=1))
    times_us = starts_at_us + np.round(np.arange(n_frames) * 1e6 / fps).astype(np.int64)
    corner = rows[:, 2:4] - [left_px, 0.0]
    boxes = np.column_stack([corner, corner + rows[:, 4:6]])
    return TrueVideo(
        camera=camera,
        times_us=times_us,
        modality=None,
        frame=rows[:, 0].astype(np.int64) - 1,
        person=rows[:, 1].astype(np.int64),
        boxes=boxes,
        seen=boxes,
    )


def within(video: TrueVideo, *, width_px: float) -> TrueVideo:
    """The same for a camera that sees only the first `width_px` columns: a cut-out.

    Whose middle is outside is not to be seen; boxes are cut at the edges.
    """
    middle = video.boxes[:, [0, 2]].mean(axis=1)
    keep = (middle >= 0) & (middle < width_px)
    boxes = video.boxes[keep].copy()
    boxes[:, [0, 2]] = boxes[:, [0, 2]].clip(0, width_px)
    return TrueVideo(
        camera=video.camera,
        times_us=video.times_us,
        modality=video.modality,
        frame=video.frame[keep],
        person=video.person[keep],
        boxes=boxes,
        seen=boxes,
    )


def _video_files(path: Path) -> list[Path]:
    if path.is_dir():
        index = path / INDEX
        if not index.is_file():
            files = sorted(path.glob(f"*{SUFFIX}"))
            if not files:
                raise TruthInvalid(f"{path}: holds neither {INDEX} nor a file *{SUFFIX}")
            return files
        path = index
    if path.name.endswith(SUFFIX):
        return [path]
    videos = _json(path).get("videos")
    if not isinstance(videos, list) or not videos:
        raise TruthInvalid(f"{path}: expected the simulator's index with its `videos`")
    return [path.parent / str(video["truth"]) for video in videos]


def _json(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TruthInvalid(f"{path}: no such file; name the folder that was filmed into") from None
    except (OSError, ValueError) as error:
        raise TruthInvalid(f"{path}: not readable JSON: {error}") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        got = data.get("schema") if isinstance(data, dict) else type(data).__name__
        raise TruthInvalid(
            f"{path}: expected truth of schema {SCHEMA}, got {got!r}; film it again with "
            "`noctule simulate`, or name CAMERA=FILE if these are MOTChallenge rows"
        )
    return data


def _simulated_video(head: Mapping[str, Any], camera: CameraId) -> TrueVideo:
    frames: Sequence[Mapping[str, Any]] = head["frames"]
    if not frames:
        raise ValueError("it has no frames")
    people = [
        (number, person)
        for number, frame in enumerate(frames)
        for person in frame["people"]
        if person["visibility"] >= LEAST_VISIBILITY
    ]
    return TrueVideo(
        camera=camera,
        times_us=np.array([frame["captured_at_us"] for frame in frames], np.int64),
        modality=tuple(Modality(frame["modality"]) for frame in frames),
        frame=np.array([number for number, _ in people], np.int64),
        person=np.array([person["identity"] for _, person in people], np.int64),
        boxes=np.array([p["full_box_px"] for _, p in people], np.float64).reshape(-1, 4),
        seen=np.array([p["box_px"] for _, p in people], np.float64).reshape(-1, 4),
    )
