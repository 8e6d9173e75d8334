"""Light, and what a sensor makes of it: from linear radiance to the pixels of a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from simulator.figures.wardrobe import Colour
from simulator.world.meshes import Vector

Picture = npt.NDArray[np.uint8]
Radiance = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Daylight:
    """Sun and sky.

    Attributes:
        sun_from: Direction towards the sun, any length, z > 0.
        sun, sky, bounce: Linear RGB of the sun, of the sky on upward surfaces and of the light
            that the ground throws back.
        background: Linear RGB where nothing stands.
    """

    sun_from: Vector = (0.45, -0.55, 0.75)
    sun: Colour = (1.9, 1.75, 1.5)
    sky: Colour = (0.62, 0.70, 0.84)
    bounce: Colour = (0.32, 0.29, 0.25)
    background: Colour = (0.75, 0.85, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Illuminator:
    """The infrared lamp beside a camera's lens.

    Attributes:
        power: Irradiance at one metre on the axis.
        ambient: Irradiance everywhere.
    """

    power: float = 120.0
    ambient: float = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleSensor:
    """A colour camera.

    Attributes:
        exposure: Factor on linear light.
        balance: Factor per channel (white balance).
        saturation: 0 is grey, 1 as it is.
        noise: Standard deviation, of full scale.
        blur_px: Standard deviation of the lens blur.
        vignette: Loss of light towards the corners.
    """

    exposure: float = 0.42
    balance: Colour = (1.0, 1.0, 1.0)
    saturation: float = 0.85
    noise: float = 0.006
    blur_px: float = 0.45
    vignette: float = 0.1

    def expose(self, light: Radiance, rng: np.random.Generator) -> Picture:
        """(H, W, 3) uint8 RGB of (H, W, 3) linear light."""
        balanced = light * np.array(self.balance, np.float32)
        grey = balanced.mean(axis=2, keepdims=True)
        muted = np.maximum(grey + (balanced - grey) * self.saturation, 0)
        x = muted * (self.exposure * _falloff(light.shape[:2], self.vignette)[..., None])
        x = cv2.GaussianBlur(x, (0, 0), self.blur_px) if self.blur_px > 0 else x
        x = np.clip(x * (1 + x / 4) / (1 + x), 0, 1) ** (1 / 2.2)
        return _to_bytes(x + _noise(rng, x.shape, self.noise))


@dataclass(frozen=True, slots=True, kw_only=True)
class InfraredSensor:
    """A monochrome camera at night.

    Attributes:
        gain: Factor on linear light.
        noise: Read noise in linear units; shot noise comes on top.
        blur_px: Standard deviation of the lens blur.
        vignette: Loss of light towards the corners.
    """

    gain: float = 0.7
    noise: float = 0.006
    blur_px: float = 0.5
    vignette: float = 0.4

    def expose(self, light: Radiance, rng: np.random.Generator) -> Picture:
        """(H, W, 3) uint8, one channel three times, of (H, W) linear light."""
        x = light * (self.gain * _falloff(light.shape[:2], self.vignette))
        deviation = np.sqrt(np.maximum(x, 0) * _SHOT_NOISE + self.noise**2)
        x = x + _noise(rng, x.shape, 1.0) * deviation
        x = cv2.GaussianBlur(x, (0, 0), self.blur_px) if self.blur_px > 0 else x
        x = np.maximum(x, 0)
        grey = _to_bytes(np.sqrt(np.clip(1.25 * x / (1 + x), 0, 1)))
        return np.repeat(grey[..., None], 3, axis=2)


_SHOT_NOISE = 0.0006


def _falloff(size: tuple[int, ...], strength: float) -> Radiance:
    """(H, W) float32, 1 in the middle, less towards the corners."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius2 = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / (max(width, height) / 2) ** 2
    return np.asarray(1 / (1 + strength * radius2) ** 2, dtype=np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], deviation: float) -> Radiance:
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)


def _to_bytes(values: Radiance) -> Picture:
    return np.asarray(np.clip(values, 0, 1) * 255 + 0.5, dtype=np.uint8)
