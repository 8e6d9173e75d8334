"""noctule track: follow the people of one video and write what MOTChallenge tools can score."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.config import DetectorConfig
from models.detect.load import load_detector
from models.detect.types import Detector
from pipeline.cli.options import JsonOption
from pipeline.cli.output import print_json, print_line, progress_console
from pipeline.errors import UsageInvalid
from pipeline.tracking.config import TrackingConfig
from pipeline.types import Tracklet
from streams.config import CameraConfig
from streams.source import open_source
from streams.types import CameraId, Frame

EVERY_TRACK = TrackingConfig(min_visit_s=0, crops_per_part=0)
"""Nothing is left out for being short, so that the tracker itself is scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRow:
    """One person in one frame.

    Attributes:
        frame: From 1 on, in the order of the video.
        id: From 1 on, by first appearance.
        x: Left edge, pixels from the left border of the picture.
        y: Top edge, pixels from the top border.
        score: Detector confidence, 0-1.
    """

    frame: int
    id: int
    x: float
    y: float
    width: float
    height: float
    score: float

    def to_mot(self) -> str:
        """A line of a MOTChallenge result file, without its end.

        >>> TrackRow(frame=1, id=2, x=3, y=4, width=5, height=6, score=0.5).to_mot()
        '1,2,3.00,4.00,5.00,6.00,0.5000,-1,-1,-1'
        """
        box = f"{self.x:.2f},{self.y:.2f},{self.width:.2f},{self.height:.2f}"
        return f"{self.frame},{self.id},{box},{self.score:.4f},-1,-1,-1"


def track(
    video: Annotated[Path, typer.Argument(help="A video file or a folder of images.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="MOTChallenge file to write; default: stdout.")
    ] = None,
    as_json: JsonOption = False,
    weights: Annotated[
        str, typer.Option("--weights", help="Detector: name in the manifest, or a .pt file.")
    ] = DetectorConfig().weights,
) -> None:
    """Follow the people of one video: rows `frame,id,x,y,w,h,score,-1,-1,-1`.

    Every frame is searched and every confirmed track is written, however short. With --json the
    rows are printed as JSON; --out is written as well if it is given.

    Example: noctule track yard.mp4 --out mot.txt
    """
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise UsageInvalid(f"--out {out}: expected a file in a folder that exists")
    camera = _as_camera(video)
    with open_source(camera) as source, _bar() as bar:
        task = bar.add_task("tracking", total=source.n_frames)
        detector = load_detector(DetectorConfig(weights=weights))
        rows = follow(
            source.frames(), detector, CameraId(camera.name), report=lambda: bar.advance(task)
        )
    text = "".join(f"{row.to_mot()}\n" for row in rows)
    if out is not None:
        _write(out, text)
    if as_json:
        print_json([asdict(row) for row in rows])
    elif out is None:
        sys.stdout.write(text)
    else:
        print_line(f"{len({row.id for row in rows})} tracks in {len(rows)} rows: {out}")


def follow(
    frames: Iterable[Frame],
    detector: Detector,
    camera: CameraId,
    *,
    config: TrackingConfig = EVERY_TRACK,
    report: Callable[[], None] = lambda: None,
) -> list[TrackRow]:
    """Everyone in every frame, in order of frame and id. No frames give no rows.

    Args:
        frames: Of one camera, in order of time.
        report: Called after every frame.
    """
    from pipeline.tracking.tracklets import CameraTracker  # its library takes a second to import

    tracker = CameraTracker(camera, config)
    numbers: dict[int, int] = {}
    tracklets: list[Tracklet] = []
    for number, frame in enumerate(frames, start=1):
        numbers[frame.captured_at_us] = number
        tracklets += tracker.update(frame, detector.detect([frame])[0])
        report()
    return _to_rows([*tracklets, *tracker.cut()], numbers)


def _to_rows(tracklets: Sequence[Tracklet], numbers: dict[int, int]) -> list[TrackRow]:
    """Rows of all tracklets; `numbers` maps the time of a frame to its number."""
    in_order = sorted(tracklets, key=lambda each: (each.first_seen_us, each.track))
    ids = {key: at for at, key in enumerate(dict.fromkeys(t.track for t in in_order), start=1)}
    rows = [
        TrackRow(
            frame=numbers[time_us],
            id=ids[tracklet.track],
            x=x0,
            y=y0,
            width=x1 - x0,
            height=y1 - y0,
            score=score,
        )
        for tracklet in in_order
        for time_us, (x0, y0, x1, y1), score in zip(
            tracklet.times_us.tolist(),
            tracklet.boxes.tolist(),
            tracklet.scores.tolist(),
            strict=True,
        )
    ]
    return sorted(rows, key=lambda row: (row.frame, row.id))


def _as_camera(video: Path) -> CameraConfig:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", video.stem)[:64] or "video"
    try:
        return CameraConfig.model_validate(
            {"name": name, "source": SecretStr(str(video.expanduser().absolute()))}
        )
    except ValidationError as error:
        words = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise UsageInvalid(f"{video}: {words}") from None


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="ascii")
    except OSError as error:
        raise UsageInvalid(f"--out {out}: cannot be written: {error.strerror}") from error


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames, left"),
        TimeRemainingColumn(),
        console=progress_console,
    )
