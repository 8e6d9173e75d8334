"""Where a camera stands and how it maps the world to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.world.meshes import Vector

_NEAR_M = 0.1
_FAR_M = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A pinhole camera without distortion.

    Attributes:
        eye, target: World points (metres).
        field_deg: Horizontal angle of view, in (0, 150).
        size_px: Width and height.
    """

    eye: Vector
    target: Vector
    field_deg: float
    size_px: tuple[int, int]

    @property
    def direction(self) -> npt.NDArray[np.float64]:
        """(3,) unit vector from the eye to the target."""
        way = np.array(self.target, float) - np.array(self.eye, float)
        return np.asarray(way / np.linalg.norm(way))

    def matrix(self, *, widened: float = 1.0) -> npt.NDArray[np.float32]:
        """(4, 4) float32 from world to clip space.

        Args:
            widened: Factor on the picture plane; 2 shows twice the width and the height.
        """
        width, height = self.size_px
        forward = self.direction
        right = np.cross(forward, [0.0, 0, 1])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(right, forward), -forward])
        to_eye = np.eye(4)
        to_eye[:3, :3] = rotation
        to_eye[:3, 3] = -rotation @ np.array(self.eye, float)
        scale = 1 / (np.tan(np.radians(self.field_deg) / 2) * widened)
        span = _FAR_M - _NEAR_M
        clip = np.zeros((4, 4))
        clip[0, 0], clip[1, 1] = scale, scale * width / height
        clip[2, 2], clip[2, 3] = -(_FAR_M + _NEAR_M) / span, -2 * _FAR_M * _NEAR_M / span
        clip[3, 2] = -1
        return (clip @ to_eye).astype(np.float32)

    def project(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """(N, 2) pixel coordinates of (N, 3) world points; NaN for points behind the camera."""
        clip = np.c_[points, np.ones(len(points))] @ self.matrix().T
        depth = np.where(clip[:, 3] > _NEAR_M, clip[:, 3], np.nan)
        width, height = self.size_px
        x = (clip[:, 0] / depth * 0.5 + 0.5) * width
        y = (0.5 - clip[:, 1] / depth * 0.5) * height
        return np.stack([x, y], axis=1)
