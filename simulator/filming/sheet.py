"""Contact sheet of the demo's people by day and by night, cut out of the demo footage.

`python -m simulator.filming.sheet --footage simulator/footage/demo --out demo-people.png`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from simulator.filming.truth import TruePerson, Truth, read_truth
from simulator.optics.illumination import Picture

_CELL_WH = (60, 120)
_GAP_PX = 4
_EDGE_PX = 12
_WANTED_HEIGHT_PX = 150


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when the picture is written, 2 on wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.filming.sheet", description="Contact sheet of the demo's people."
    )
    parser.add_argument("--footage", type=Path, required=True, help="folder of the footage")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    picture = contact_sheet(options.footage, ["gate", "plaza", "dock", "corridor"])
    if not cv2.imwrite(str(options.out), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [16, 9]):
        raise OSError(f"{options.out}: could not be written")
    return 0


def contact_sheet(folder: Path, cameras: list[str]) -> Picture:
    """One row per camera, one column per identity; grey where nobody shows well."""
    rows = []
    for camera in cameras:
        truth = read_truth(folder / f"{camera}.truth.json")
        shown = [best_view(truth, identity) for identity in sorted(truth.identities)]
        rows.append(np.hstack([_cell(folder / f"{camera}.mp4", found) for found in shown]))
    return np.vstack(rows)


def best_view(truth: Truth, identity: int) -> tuple[int, TruePerson] | None:
    """Frame number and box where the person shows whole, away from the edges, in a good size."""
    width, height = truth.size_px
    views = [
        (abs(person.box_px[3] - person.box_px[1] - _WANTED_HEIGHT_PX), frame.frame, person)
        for frame in truth.frames
        for person in frame.people
        if person.identity == identity
        and person.visibility > 0.97
        and min(person.box_px[:2]) > _EDGE_PX
        and person.box_px[2] < width - _EDGE_PX
        and person.box_px[3] < height - _EDGE_PX
    ]
    if not views:
        return None
    _, number, person = min(views, key=lambda view: view[:2])
    return number, person


def _cell(video: Path, view: tuple[int, TruePerson] | None) -> Picture:
    cell = np.full((_CELL_WH[1] + _GAP_PX, _CELL_WH[0] + _GAP_PX, 3), 128, np.uint8)
    if view is None:
        return cell
    number, person = view
    capture = cv2.VideoCapture(str(video))
    capture.set(cv2.CAP_PROP_POS_FRAMES, number)
    is_read, bgr = capture.read()
    capture.release()
    if not is_read:
        raise ValueError(f"{video}: frame {number} could not be read")
    x0, y0, x1, y1 = person.box_px
    middle, half = (x0 + x1) // 2, (y1 - y0) // 4 + 6
    left, top = max(middle - half, 0), max(y0 - 6, 0)
    crop = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)[top : y1 + 6, left : middle + half]
    cell[: _CELL_WH[1], : _CELL_WH[0]] = cv2.resize(crop, _CELL_WH, interpolation=cv2.INTER_AREA)
    return cell


if __name__ == "__main__":
    sys.exit(main())
