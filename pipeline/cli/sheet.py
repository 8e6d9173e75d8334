"""A contact sheet: every visit of one person as a row of crops, day and night side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.cli.output import certainty, clock_time
from pipeline.errors import UsageInvalid
from storage.evidence import EvidenceStore
from storage.types import Sighting
from streams.pictures import from_file
from streams.types import Modality

_CROP_HEIGHT_PX, _CROP_WIDTH_PX = 192, 96
_MARGIN_PX = 12
_TEXT_PX = 44
_CROPS = 6
_BACKGROUND = 24
_INK = (235, 235, 235)
_FAINT = (160, 160, 160)
_WORDS = {Modality.VISIBLE: "visible", Modality.INFRARED: "infrared"}

Picture = npt.NDArray[np.uint8]


def contact_sheet(title: str, visits: Sequence[Sighting], evidence: EvidenceStore) -> Picture:
    """(H, W, 3) uint8 RGB; two visits beside each other, in the order of time.

    Raises:
        UsageInvalid: There is no picture to show.
    """
    shown = [visit for visit in visits if visit.evidence]
    if not shown:
        raise UsageInvalid("there is no crop of this person to draw; the sightings have none")
    cells = [_cell(visit, evidence) for visit in shown]
    if len(cells) % 2:
        cells.append(np.full_like(cells[0], _BACKGROUND))
    rows = [np.hstack(cells[i : i + 2]) for i in range(0, len(cells), 2)]
    head = np.full((_TEXT_PX, rows[0].shape[1], 3), _BACKGROUND, np.uint8)
    _write(head, title, at=(_MARGIN_PX, 30), scale=0.8, ink=_INK)
    return np.vstack([head, *rows])


def save_sheet(path: Path, sheet: Picture) -> None:
    """Write a sheet as PNG or JPEG, by the file's ending.

    Raises:
        UsageInvalid: The ending is neither, or the file cannot be written.
    """
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageInvalid(f"--sheet {path}: expected a name ending in .png or .jpg")
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise UsageInvalid(f"--sheet {path}: cannot be written: {error.strerror}") from error


def _cell(visit: Sighting, evidence: EvidenceStore) -> Picture:
    width = _CROPS * (_CROP_WIDTH_PX + 4) + 2 * _MARGIN_PX
    cell = np.full((_CROP_HEIGHT_PX + _TEXT_PX + _MARGIN_PX, width, 3), _BACKGROUND, np.uint8)
    _sun_or_moon(cell, visit.modality)
    words = f"{visit.camera}  {_WORDS[visit.modality]}  {clock_time(visit.first_seen_us)}"
    _write(cell, words, at=(_MARGIN_PX + 26, 20), scale=0.5, ink=_INK)
    _write(cell, certainty(visit.link), at=(_MARGIN_PX + 26, 38), scale=0.42, ink=_FAINT)
    for index, sha256 in enumerate(visit.evidence[:_CROPS]):
        left = _MARGIN_PX + index * (_CROP_WIDTH_PX + 4)
        cell[_TEXT_PX : _TEXT_PX + _CROP_HEIGHT_PX, left : left + _CROP_WIDTH_PX] = _fitted(
            evidence.get(sha256)
        )
    return cell


def _fitted(jpeg: bytes) -> Picture:
    """The crop in a cell of fixed size, whole, in its own shape."""
    crop = from_file(jpeg)
    if crop is None:
        raise UsageInvalid("a crop in the evidence folder is not a picture; run `noctule db check`")
    scale = min(_CROP_HEIGHT_PX / crop.shape[0], _CROP_WIDTH_PX / crop.shape[1])
    size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    cell = np.full((_CROP_HEIGHT_PX, _CROP_WIDTH_PX, 3), _BACKGROUND + 12, np.uint8)
    top, left = (_CROP_HEIGHT_PX - size[1]) // 2, (_CROP_WIDTH_PX - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell


def _sun_or_moon(cell: Picture, modality: Modality) -> None:
    centre = (_MARGIN_PX + 10, 20)
    if modality is Modality.VISIBLE:
        cv2.circle(cell, centre, 6, (250, 205, 70), -1, cv2.LINE_AA)
        for angle in np.arange(0, 2 * np.pi, np.pi / 4):
            tip = np.array([np.cos(angle), np.sin(angle)])
            start, end = (np.array(centre) + tip * r for r in (8, 11))
            cv2.line(cell, _point(start), _point(end), (250, 205, 70), 1, cv2.LINE_AA)
    else:
        cv2.circle(cell, centre, 8, (175, 195, 255), -1, cv2.LINE_AA)
        cv2.circle(cell, (centre[0] + 4, centre[1] - 2), 7, (_BACKGROUND,) * 3, -1, cv2.LINE_AA)


def _point(xy: npt.NDArray[np.float64]) -> tuple[int, int]:
    return round(float(xy[0])), round(float(xy[1]))


def _write(
    picture: Picture, words: str, *, at: tuple[int, int], scale: float, ink: tuple[int, int, int]
) -> None:
    cv2.putText(picture, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
