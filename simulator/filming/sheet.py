"""Contact sheet of a simulated folder: everybody, once for each hour and light."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from simulator.filming.catalogue import PERIODS
from simulator.filming.truth import SUFFIX, TruePerson, Truth, read_truth
from simulator.optics.illumination import Picture
from simulator.world.places import CameraKind
from streams.pictures import write_picture
from streams.types import Modality

_CELL_WH = (72, 144)
_GAP_PX = 4
_LABEL_PX = 18
_MARGIN_PX = 120
_EDGE_PX = 6
_WANTED_HEIGHT_PX = 150
_PER_ROW = 12
_LEAST_VISIBILITY = 0.4
_LEAST_HEIGHT_PX = 32
_BLANK = (214, 212, 208)
_PAPER, _INK = (246, 245, 242), (40, 40, 44)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_THERMAL = "thermal"
_ROWS = tuple(f"{hour} {light}" for hour in PERIODS for light in (*Modality, _THERMAL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One person in one frame of one video."""

    video: Path
    frame: int
    person: TruePerson
    loss: float


def write_sheet(folder: Path, videos: Sequence[str], path: Path) -> None:
    """Write the contact sheet of `videos`, whose truth lies beside them in `folder`.

    Raises:
        OSError: A video could not be read or the picture not be written.
    """
    truths = {folder / f"{name}.mp4": read_truth(folder / f"{name}{SUFFIX}") for name in videos}
    write_picture(path, contact_sheet(truths))


def contact_sheet(truths: dict[Path, Truth]) -> Picture:
    """One column per identity, one row per hour and light; grey where nobody shows well."""
    best = best_sights(truths)
    identities = sorted({identity for identity, _ in best})
    rows = list(dict.fromkeys(row for _, row in best))
    n_columns = max(min(len(identities), _PER_ROW), 1)
    blocks = [
        _block(best, identities[k : k + n_columns], rows, n_columns)
        for k in range(0, len(identities), n_columns)
    ]
    if not blocks:
        return np.full((_LABEL_PX, _MARGIN_PX, 3), _PAPER, np.uint8)
    return np.asarray(np.vstack(blocks), dtype=np.uint8)


def best_sights(truths: dict[Path, Truth]) -> dict[tuple[int, str], Sight]:
    """By identity and row, such as `dusk infrared`: whole, off the edges, in a good size."""
    best: dict[tuple[int, str], Sight] = {}
    for video, truth in truths.items():
        for row, sight in _sights(video, truth):
            key = (sight.person.identity, row)
            if key not in best or sight.loss < best[key].loss:
                best[key] = sight
    order = {row: k for k, row in enumerate(_ROWS)}
    return dict(sorted(best.items(), key=lambda item: (order[item[0][1]], item[0][0])))


def _sights(video: Path, truth: Truth) -> Iterator[tuple[str, Sight]]:
    width, height = truth.size_px
    for frame in truth.frames:
        for person in frame.people:
            x0, y0, x1, y1 = person.box_px
            is_cut = min(x0, y0) < _EDGE_PX or x1 > width - _EDGE_PX or y1 > height - _EDGE_PX
            size = np.log((y1 - y0) / _WANTED_HEIGHT_PX)
            if person.visibility < _LEAST_VISIBILITY or y1 - y0 < _LEAST_HEIGHT_PX:
                continue
            loss = abs(float(size)) + 4 * (1 - person.visibility) + 2 * is_cut
            light = _THERMAL if truth.kind == CameraKind.THERMAL else frame.modality.value
            yield (
                f"{truth.period} {light}",
                Sight(video=video, frame=frame.frame, person=person, loss=loss),
            )


def _block(
    best: dict[tuple[int, str], Sight],
    identities: Sequence[int],
    rows: Sequence[str],
    n_columns: int,
) -> Picture:
    wide, high = _CELL_WH[0] + _GAP_PX, _CELL_WH[1] + _GAP_PX
    picture = np.full(
        (_LABEL_PX + len(rows) * high, _MARGIN_PX + n_columns * wide, 3), _PAPER, np.uint8
    )
    for column, identity in enumerate(identities):
        left = _MARGIN_PX + column * wide
        _write(picture, str(identity), (left + 2, _LABEL_PX - 5))
        for k, row in enumerate(rows):
            top = _LABEL_PX + k * high
            cell = _cell(best.get((identity, row)))
            picture[top : top + _CELL_WH[1], left : left + _CELL_WH[0]] = cell
    for k, row in enumerate(rows):
        _write(picture, row, (6, _LABEL_PX + k * high + 20))
    return picture


def _write(picture: Picture, text: str, at: tuple[int, int]) -> None:
    cv2.putText(picture, text, at, _FONT, 0.42, _INK, 1, cv2.LINE_AA)


def _cell(sight: Sight | None) -> Picture:
    if sight is None:
        return np.full((_CELL_WH[1], _CELL_WH[0], 3), _BLANK, np.uint8)
    capture = cv2.VideoCapture(str(sight.video))
    capture.set(cv2.CAP_PROP_POS_FRAMES, sight.frame)
    is_read, bgr = capture.read()
    capture.release()
    if not is_read:
        raise OSError(f"{sight.video}: frame {sight.frame} could not be read")
    x0, y0, x1, y1 = sight.person.box_px
    half = max((y1 - y0) // 4, (x1 - x0) // 2) + 4
    middle, centre = (x0 + x1) // 2, (y0 + y1) // 2
    padded = cv2.copyMakeBorder(bgr, *(2 * half,) * 4, cv2.BORDER_REPLICATE)
    top, left = centre - 2 * half + 2 * half, middle - half + 2 * half
    crop = cv2.cvtColor(padded, cv2.COLOR_BGR2RGB)[top : top + 4 * half, left : left + 2 * half]
    return np.asarray(cv2.resize(crop, _CELL_WH, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def main(arguments: list[str] | None = None) -> int:
    """`python -m simulator.filming.sheet FOLDER OUT.png`: the sheet of a folder that is filmed."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.filming.sheet", description="Contact sheet of filmed people."
    )
    parser.add_argument("folder", type=Path, help="folder of the footage")
    parser.add_argument("out", type=Path, help="PNG file to write")
    options = parser.parse_args(arguments)
    videos = sorted(path.stem for path in options.folder.glob("*.mp4"))
    write_sheet(options.folder, videos, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
