"""Ground truth of one video: who is where in every frame. Files are JSON and MOTChallenge text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from streams.types import CameraId, Modality

SCHEMA = 1
_LEAST_VISIBILITY = 0.1

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePerson:
    """One person in one frame. Boxes are x0, y0, x1, y1 in pixels, x1 and y1 exclusive.

    Attributes:
        identity: The same in all cameras.
        box_px: Around the pixels that show the person.
        full_box_px: Around the whole body as if nothing stood before it, cut at the frame.
        visibility: Share of the whole body, also beyond the frame, that shows, in (0, 1].
    """

    identity: int
    box_px: Box
    full_box_px: Box
    visibility: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFrame:
    """Everybody who shows in one frame, by rising identity.

    Attributes:
        frame: Counts from 0.
        captured_at_us: Microseconds UTC.
    """

    frame: int
    captured_at_us: int
    people: tuple[TruePerson, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The truth of one video.

    Attributes:
        size_px: Width and height.
        starts_at_us: Capture time of frame 0 (microseconds UTC).
        frames: One per frame of the video, in order.
    """

    camera: CameraId
    modality: Modality
    fps: int
    size_px: tuple[int, int]
    starts_at_us: int
    frames: tuple[TrueFrame, ...]

    @property
    def identities(self) -> frozenset[int]:
        """Everybody who shows at least once."""
        return frozenset(person.identity for frame in self.frames for person in frame.people)


def write_truth(truth: Truth, path: Path) -> None:
    """Write `truth` as JSON, one frame per line."""
    head = {
        "schema": SCHEMA,
        "camera": truth.camera,
        "modality": truth.modality.value,
        "fps": truth.fps,
        "size_px": truth.size_px,
        "starts_at_us": truth.starts_at_us,
    }
    lines = [json.dumps(_frame_to_json(frame), separators=(",", ":")) for frame in truth.frames]
    text = json.dumps(head)[:-1] + ', "frames": [\n' + ",\n".join(lines) + "\n]}\n"
    path.write_text(text, encoding="utf-8")


def read_truth(path: Path) -> Truth:
    """Read what `write_truth` wrote.

    Raises:
        ValueError: If the file's schema is another one.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise ValueError(f"{path}: expected truth schema {SCHEMA}, got {data.get('schema')!r}")
    width, height = data["size_px"]
    return Truth(
        camera=CameraId(data["camera"]),
        modality=Modality(data["modality"]),
        fps=data["fps"],
        size_px=(width, height),
        starts_at_us=data["starts_at_us"],
        frames=tuple(
            TrueFrame(
                frame=row["frame"],
                captured_at_us=row["captured_at_us"],
                people=tuple(
                    TruePerson(
                        identity=person["identity"],
                        box_px=_box(person["box_px"]),
                        full_box_px=_box(person["full_box_px"]),
                        visibility=person["visibility"],
                    )
                    for person in row["people"]
                ),
            )
            for row in data["frames"]
        ),
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


def _frame_to_json(frame: TrueFrame) -> dict[str, object]:
    return {
        "frame": frame.frame,
        "captured_at_us": frame.captured_at_us,
        "people": [
            {
                "identity": person.identity,
                "box_px": person.box_px,
                "full_box_px": person.full_box_px,
                "visibility": person.visibility,
            }
            for person in frame.people
        ],
    }


def _box(values: list[int]) -> Box:
    x0, y0, x1, y1 = values
    return x0, y0, x1, y1
