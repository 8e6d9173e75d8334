"""Ground truth of one video: who is where in every frame. Files are JSON and MOTChallenge text."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simulator.world.walks import Point
from streams.types import CameraId, Modality

SCHEMA = 2
SUFFIX = ".truth.json"
_LEAST_VISIBILITY = 0.1

Box = tuple[int, int, int, int]
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePerson:
    """One person in one frame. Boxes are x0, y0, x1, y1 in pixels, x1 and y1 exclusive.

    Attributes:
        identity: The same in all cameras.
        box_px: Around the pixels that show the person.
        full_box_px: Around the whole body as if nothing stood before it, cut at the frame.
        visibility: Share of the whole body, also beyond the frame, that shows, in (0, 1].
        outfit: 1 for somebody who wears other clothes than by day, else 0.
        ground_m: x, y on the place's floor plan, or None where nobody said.
    """

    identity: int
    box_px: Box
    full_box_px: Box
    visibility: float
    outfit: int = 0
    ground_m: Point | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFrame:
    """Everybody who shows in one frame, by rising identity.

    Attributes:
        frame: Counts from 0.
        captured_at_us: Microseconds UTC.
        modality: The light of this very frame; a camera with an IR-cut filter changes it.
    """

    frame: int
    captured_at_us: int
    people: tuple[TruePerson, ...]
    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The truth of one video.

    Attributes:
        recipe: Fingerprint of every setting that decides about the video.
        camera: The camera's name on its floor plan; the video may carry the hour too.
        kind: colour, day-night or thermal, see `CameraKind`.
        place: Whose floor plan `ground_m` is on; the plan is in the folder's `truth.json`.
        size_px: Width and height.
        starts_at_us: Capture time of frame 0 (microseconds UTC).
        intrinsics: 3x3, pixels; no distortion.
        world_to_camera: 3x4, metres; x right, y down, z ahead.
        frames: One per frame of the video, in order.
    """

    scenario: str
    seed: int
    recipe: str
    period: str
    place: str
    camera: CameraId
    kind: str
    fps: int
    size_px: tuple[int, int]
    starts_at_us: int
    intrinsics: Matrix
    world_to_camera: Matrix
    frames: tuple[TrueFrame, ...]

    @property
    def identities(self) -> frozenset[int]:
        """Everybody who shows at least once."""
        return frozenset(person.identity for frame in self.frames for person in frame.people)

    @property
    def modality(self) -> Modality:
        """The light of most frames, visible where there are none."""
        counts = Counter(frame.modality for frame in self.frames)
        return max(counts, key=lambda light: counts[light]) if counts else Modality.VISIBLE


def write_truth(truth: Truth, path: Path) -> None:
    """Write `truth` as JSON, one frame per line."""
    head = {"schema": SCHEMA} | {
        key: getattr(truth, key) for key in Truth.__slots__ if key != "frames"
    }
    lines = [json.dumps(asdict(frame), separators=(",", ":")) for frame in truth.frames]
    text = json.dumps(head)[:-1] + ', "frames": [\n' + ",\n".join(lines) + "\n]}\n"
    path.write_text(text, encoding="utf-8")


def read_truth(path: Path) -> Truth:
    """Read what `write_truth` wrote.

    Raises:
        ValueError: If the file's schema is another one.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise ValueError(
            f"{path}: expected truth schema {SCHEMA}, got {data.get('schema')!r}; film it again "
            "with `noctule simulate`"
        )
    width, height = data["size_px"]
    return Truth(
        scenario=data["scenario"],
        seed=data["seed"],
        recipe=data["recipe"],
        period=data["period"],
        place=data["place"],
        camera=CameraId(data["camera"]),
        kind=data["kind"],
        fps=data["fps"],
        size_px=(width, height),
        starts_at_us=data["starts_at_us"],
        intrinsics=_matrix(data["intrinsics"]),
        world_to_camera=_matrix(data["world_to_camera"]),
        frames=tuple(_frame(row) for row in data["frames"]),
    )


def to_motchallenge(truth: Truth) -> str:
    """Lines `frame,identity,left,top,width,height,1,1,visibility`, frames from 1, full boxes.

    People of whom less than a tenth shows are left out: nobody could find them.
    """
    lines = []
    for frame in truth.frames:
        for person in frame.people:
            if person.visibility < _LEAST_VISIBILITY:
                continue
            x0, y0, x1, y1 = person.full_box_px
            place = f"{x0},{y0},{x1 - x0},{y1 - y0}"
            lines.append(
                f"{frame.frame + 1},{person.identity},{place},1,1,{person.visibility:.3f}\n"
            )
    return "".join(lines)


def _frame(row: dict[str, Any]) -> TrueFrame:
    return TrueFrame(
        frame=row["frame"],
        captured_at_us=row["captured_at_us"],
        modality=Modality(row["modality"]),
        people=tuple(
            TruePerson(
                identity=person["identity"],
                outfit=person["outfit"],
                box_px=_box(person["box_px"]),
                full_box_px=_box(person["full_box_px"]),
                visibility=person["visibility"],
                ground_m=None if person["ground_m"] is None else _point(person["ground_m"]),
            )
            for person in row["people"]
        ),
    )


def _box(values: list[int]) -> Box:
    x0, y0, x1, y1 = values
    return x0, y0, x1, y1


def _point(values: list[float]) -> Point:
    x, y = values
    return x, y


def _matrix(rows: list[list[float]]) -> Matrix:
    return tuple(tuple(row) for row in rows)
