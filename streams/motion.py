"""Is anything moving here? Cheap enough to ask of every frame, and slow to say no."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from streams.config import MotionConfig
from streams.types import CameraId, Frame, Modality

SMALL_PX = 320 * 180
"""Pictures are shrunk to this area before looking; averaging takes most of the noise away."""

NOISE_FACTOR = 4.0
"""A patch must differ by this many times its usual flicker (leaves, rain, sensor noise)."""

LEARN_S = 12.0
"""Seconds in which the background follows the light; people are quicker."""

NOISE_MEMORY_S = 20.0

Small = npt.NDArray[np.float32]


@dataclass(slots=True)
class _Scene:
    """What one camera usually sees."""

    background: Small
    noise: Small
    changed_s: Small
    run: int
    modality: Modality
    started_us: int
    seen_us: int
    moved_us: int | None = None


class MotionGate:
    """Tells frames worth looking for people in from frames of an empty scene.

    Compares with a background of minutes, not with the frame before: someone far away who walks
    towards the camera hardly changes from frame to frame. A new run, another size of picture or
    another light starts afresh, with the gate open.
    """

    def __init__(self, config: MotionConfig) -> None:
        self._config = config
        self._scenes: dict[CameraId, _Scene] = {}

    def is_moving(self, frame: Frame) -> bool:
        """Whether to look at this frame; a camera's frames come in order of time."""
        if not self._config.enabled:
            return True
        small = _shrink(frame.pixels)
        scene = self._scenes.get(frame.camera)
        if scene is None or _is_other(scene, frame, small):
            self._scenes[frame.camera] = _Scene(
                background=small,
                noise=np.full_like(small, self._config.min_change / NOISE_FACTOR),
                changed_s=np.zeros_like(small),
                run=frame.run,
                modality=frame.modality,
                started_us=frame.captured_at_us,
                seen_us=frame.captured_at_us,
            )
            return True
        if self._has_motion(scene, small, frame.captured_at_us):
            scene.moved_us = frame.captured_at_us
        if frame.captured_at_us - scene.started_us < self._config.warm_up_s * 1e6:
            return True
        if scene.moved_us is None:
            return False
        return frame.captured_at_us - scene.moved_us <= self._config.keep_s * 1e6

    def _has_motion(self, scene: _Scene, small: Small, now_us: int) -> bool:
        """Compare with the background, then let the background learn."""
        passed_s = max(0.0, (now_us - scene.seen_us) / 1e6)
        scene.seen_us = now_us
        change = small - scene.background
        difference = np.abs(change - np.median(change))  # exposure changes all of it alike
        needed = np.maximum(self._config.min_change, NOISE_FACTOR * scene.noise)
        changed = difference > needed
        solid = cv2.erode(changed.astype(np.uint8), np.ones((2, 2), np.uint8))
        moving = np.count_nonzero(changed) >= self._config.min_area_percent / 100 * changed.size
        _learn(scene, small, difference, changed, passed_s, self._config.absorb_s)
        return bool(moving and solid.any())


def _learn(
    scene: _Scene,
    small: Small,
    difference: Small,
    changed: npt.NDArray[np.bool_],
    passed_s: float,
    absorb_s: float,
) -> None:
    """Follow slow changes of light; leave alone what has changed, until it has been so for long."""
    passed = np.float32(passed_s)
    scene.changed_s = np.maximum(0, scene.changed_s + np.where(changed, passed, -passed))
    rate = np.where(changed, np.float32(0.0), np.float32(min(1.0, passed_s / LEARN_S)))
    rate[scene.changed_s > absorb_s] = 1.0
    scene.background += rate * (small - scene.background)
    forget = np.float32(min(1.0, passed_s / NOISE_MEMORY_S))
    scene.noise += np.where(changed, np.float32(0.0), forget) * (difference - scene.noise)


def _is_other(scene: _Scene, frame: Frame, small: Small) -> bool:
    return (
        scene.run != frame.run
        or scene.modality is not frame.modality
        or scene.background.shape != small.shape
        or frame.captured_at_us < scene.seen_us
    )


def _shrink(pixels: npt.NDArray[np.uint8]) -> Small:
    """(h, w) float32 grey levels, at most about `SMALL_PX` of them."""
    height, width = pixels.shape[:2]
    scale = min(1.0, math.sqrt(SMALL_PX / (width * height)))
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)
