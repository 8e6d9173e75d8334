"""How cameras, disks and thinking itself are doing, for the rules that watch over them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.alerts.types import CameraSign, DiskSign, LagSign
from storage.address import read_address
from streams.feed import CameraHealth
from streams.supervisor import CameraState
from streams.types import CameraId, Frame, Modality

_ROWS, _PIXELS = 64, 160 * 90
"""Of a picture, looked at for detail and for contrast: enough to judge, and quick."""


def look_at(frame: Frame) -> CameraSign:
    """What one picture says of its camera, in about a quarter of a millisecond.

    Contrast is measured on a thinned picture, detail along whole rows: thinning would hide blur.
    """
    green = frame.pixels[:, :, 1]
    step = max(1, round((green.size / _PIXELS) ** 0.5))
    rows = green[:: max(1, green.shape[0] // _ROWS)].astype(np.int16)
    return CameraSign(
        camera=frame.camera,
        at_us=frame.captured_at_us,
        is_seen=True,
        since_us=frame.captured_at_us,
        modality=frame.modality,
        contrast=float(green[::step, ::step].std()),
        detail=float(np.abs(np.diff(rows, axis=1)).mean()) if green.shape[1] > 1 else None,
    )


def camera_signs(
    health: Sequence[CameraHealth], pictures: Mapping[CameraId, CameraSign], *, now_us: int
) -> Iterator[CameraSign]:
    """What to say of live cameras now.

    Args:
        pictures: What the newest picture of each said, where there was one since the last time.
    """
    for each in health:
        is_seen = each.state is CameraState.LIVE
        picture = pictures.get(each.camera) if is_seen else None
        if each.state is CameraState.CONNECTING and each.last_frame_us is None:
            continue
        yield CameraSign(
            camera=each.camera,
            at_us=now_us,
            is_seen=is_seen,
            since_us=each.last_frame_us,
            error=each.last_error,
            fps=each.fps if is_seen else None,
            modality=Modality.VISIBLE if picture is None else picture.modality,
            contrast=None if picture is None else picture.contrast,
            detail=None if picture is None else picture.detail,
        )


def lag_sign(
    health: Sequence[CameraHealth],
    searched_us: Mapping[CameraId, int],
    *,
    n_waiting: int,
    now_us: int,
) -> LagSign:
    """How old the newest picture that was looked at is, of the live camera that waits longest.

    Args:
        searched_us: When that picture was taken, by camera.
    """
    lags = [
        now_us - searched_us[each.camera]
        for each in health
        if each.state is CameraState.LIVE and each.camera in searched_us
    ]
    return LagSign(at_us=now_us, lag_s=max(lags, default=0) / 1e6, n_waiting=n_waiting)


def disks(places: Mapping[str, Path], *, now_us: int) -> Iterator[DiskSign]:
    """Room on each disk, once; places that are not there yet count as the folder around them."""
    named: dict[int, list[str]] = {}
    folders: dict[int, Path] = {}
    for name, place in places.items():
        folder = place.absolute()
        while not folder.exists():
            folder = folder.parent
        device = folder.stat().st_dev
        named.setdefault(device, []).append(name)
        folders.setdefault(device, folder)
    for device, folder in folders.items():
        usage = shutil.disk_usage(folder)
        yield DiskSign(
            place=" and ".join(named[device]),
            at_us=now_us,
            free_bytes=usage.free,
            total_bytes=usage.total,
        )


def places_of(database: str, evidence: Path, recordings: Path | None) -> dict[str, Path]:
    """What is kept where, on this machine's disks."""
    address = read_address(database)
    places = {} if address.file is None else {"the database": address.file.parent}
    places["pictures"] = evidence
    if recordings is not None:
        places["recordings"] = recordings
    return places
