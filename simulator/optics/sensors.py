"""What a sensor makes of light: from linear radiance to the pixels of a camera.

Noise is drawn before the tone curve, so it grows as light falls: photons are counted with a
deviation of the square root of their number, and the amplifier that makes up for missing light
amplifies the read noise too. EMVA standard 1288 describes this model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from simulator.figures.wardrobe import Colour
from simulator.optics.bands import Band

Picture = npt.NDArray[np.uint8]
Radiance = npt.NDArray[np.float32]

_FULL_WELL = 20_000.0
_READ_NOISE = 4.0
_ELECTRONS_PER_LUX = 35.0
"""Electrons that one picture pixel collects from white in one lux in the longest exposure.

f/2.0 gives the sensor T / (4 N^2) = 0.056 of the scene's illuminance; 1 lux of white light is
some 1e16 photons per second and square metre; a 3 um pixel under a colour filter turns a quarter
of them into electrons: 25 in 1/50 s. Of the four such pixels behind one of ours, red and blue have
one each, green has two.
"""
_SHOT_NOISE = 0.0006
_DENOISED_PX = 0.6
_DIM_ELECTRONS = 300.0
"""Below so many electrons for white, cameras take colour away to hide its noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleSensor:
    """A colour camera.

    Attributes:
        exposure: Factor on linear light.
        balance: Factor per channel (white balance).
        saturation: 0 is grey, 1 as it is.
        noise: Standard deviation, of full scale, in any light: quantisation and processing.
        blur_px: Standard deviation of the lens blur.
        vignette: Loss of light towards the corners.
        lux: Illuminance that a light of 1 stands for; see `Daylight.lux`.
        amplification: Gain on top of `exposure`, as automatic exposure sets it.
        bloom: Share of the light above white that spreads around it.
    """

    exposure: float = 0.42
    balance: Colour = (1.0, 1.0, 1.0)
    saturation: float = 0.85
    noise: float = 0.006
    blur_px: float = 0.45
    vignette: float = 0.1
    lux: float = 40_000.0
    amplification: float = 1.0
    bloom: float = 0.08

    @property
    def band(self) -> Band:
        """VISIBLE."""
        return Band.VISIBLE

    @property
    def white_electrons(self) -> float:
        """Electrons in a pixel at a linear value of 1: few of them are much noise."""
        gain = self.exposure * self.amplification
        return min(_FULL_WELL, self.lux * _ELECTRONS_PER_LUX / gain)

    def measure(self, light: Radiance) -> float:
        """Mean linear value of a picture of (H, W, 3) light; what is above white counts as it."""
        return _mean_up_to_white(light.mean(axis=2) * (self.exposure * self.amplification))

    def amplified(self, factor: float) -> Self:
        """This sensor with `factor` times its amplification."""
        return replace(self, amplification=self.amplification * factor)

    def expose(self, light: Radiance, rng: np.random.Generator) -> Picture:
        """(H, W, 3) uint8 RGB of (H, W, 3) linear light."""
        gain = self.exposure * self.amplification
        seen = light * (gain * _falloff(light.shape[:2], self.vignette)[..., None])
        seen = _bloomed(_blurred(seen, self.blur_px), self.bloom)
        electrons = self.white_electrons
        if electrons < _FULL_WELL:
            deviation = np.sqrt(seen / electrons + (_READ_NOISE / electrons) ** 2)
            grain = _blurred(_noise(rng, seen.shape, 1.0), _DENOISED_PX)
            seen = seen + grain * deviation
        balanced = seen * np.array(self.balance, np.float32)
        grey = balanced.mean(axis=2, keepdims=True)
        saturation = self.saturation * electrons / (electrons + _DIM_ELECTRONS)
        x = np.maximum(grey + (balanced - grey) * saturation, 0)
        x = _srgb(np.clip(x * (1 + x / 4) / (1 + x), 0, 1))
        return _to_bytes(x + _noise(rng, x.shape, self.noise))


@dataclass(frozen=True, slots=True, kw_only=True)
class InfraredSensor:
    """A monochrome camera at night.

    Attributes:
        gain: Factor on linear light.
        noise: Read noise in linear units; shot noise comes on top.
        blur_px: Standard deviation of the lens blur.
        vignette: Loss of light towards the corners.
        amplification: Gain on top of `gain`, as automatic exposure sets it; it amplifies the
            noise as well.
        bloom: Share of the light above white that spreads around it.
    """

    gain: float = 0.7
    noise: float = 0.006
    blur_px: float = 0.5
    vignette: float = 0.4
    amplification: float = 1.0
    bloom: float = 0.08

    @property
    def band(self) -> Band:
        """NEAR_INFRARED."""
        return Band.NEAR_INFRARED

    def measure(self, light: Radiance) -> float:
        """Mean linear value of a picture of (H, W) light; what is above white counts as it."""
        return _mean_up_to_white(light * (self.gain * self.amplification))

    def amplified(self, factor: float) -> Self:
        """This sensor with `factor` times its amplification."""
        return replace(self, amplification=self.amplification * factor)

    def expose(self, light: Radiance, rng: np.random.Generator) -> Picture:
        """(H, W, 3) uint8, one channel three times, of (H, W) linear light."""
        x = light * (self.gain * self.amplification * _falloff(light.shape, self.vignette))
        x = _bloomed(x, self.bloom)
        read = self.noise * self.amplification
        deviation = np.sqrt(x * (_SHOT_NOISE * self.amplification) + read**2)
        x = _blurred(x + _noise(rng, x.shape, 1.0) * deviation, self.blur_px)
        x = np.maximum(x, 0)
        grey = _to_bytes(np.sqrt(np.clip(1.25 * x / (1 + x), 0, 1)))
        return np.repeat(grey[..., None], 3, axis=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalSensor:
    """An uncooled microbolometer camera, white hot.

    It has few pixels of its own; its picture is enlarged. Every picture is stretched between
    two percentiles of its own temperatures (linear automatic gain control), so a grey value
    says nothing about a temperature. FLIR's Lepton (160x120) and Boson (320x256) data sheets
    name noise of 40 to 60 mK, 8 to 14 um and gain control of this kind.

    Attributes:
        detector_px: Width of the detector array.
        noise_k: Noise-equivalent temperature difference (kelvin), new in every picture.
        pattern_k: Deviation of the fixed pattern of pixels and columns (kelvin).
        pattern_seed: Each camera has its own pattern.
        blur_px: Standard deviation of the lens blur, in detector pixels.
        percentiles: What becomes black and what becomes white.
        least_span_k: A scene of even temperature is stretched over at least this (kelvin).
    """

    detector_px: int = 256
    noise_k: float = 0.06
    pattern_k: float = 0.04
    pattern_seed: int = 0
    blur_px: float = 0.6
    percentiles: tuple[float, float] = (1.0, 99.7)
    least_span_k: float = 6.0

    @property
    def band(self) -> Band:
        """THERMAL."""
        return Band.THERMAL

    def expose(self, light: Radiance, rng: np.random.Generator) -> Picture:
        """(H, W, 3) uint8, one channel three times, of (H, W) apparent temperatures (Celsius)."""
        height, width = light.shape
        size = (min(self.detector_px, width), max(round(height * self.detector_px / width), 1))
        warm = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
        warm = _blurred(np.asarray(warm, np.float32), self.blur_px)
        warm = warm + self._pattern(warm.shape) + _noise(rng, warm.shape, self.noise_k)
        low, high = (float(value) for value in np.percentile(warm, self.percentiles))
        missing = max(self.least_span_k - (high - low), 0.0)
        low, high = low - missing * 0.4, high + missing * 0.6
        large = cv2.resize(warm, (width, height), interpolation=cv2.INTER_LINEAR)
        grey = _to_bytes(np.asarray((large - low) / (high - low), np.float32))
        return np.repeat(grey[..., None], 3, axis=2)

    def _pattern(self, shape: tuple[int, ...]) -> Radiance:
        """(h, w) float32 kelvin: what is left after the shutter's correction."""
        rng = np.random.default_rng([self.pattern_seed, *shape])
        columns = _noise(rng, (1, shape[1]), self.pattern_k)
        return np.asarray(_noise(rng, shape, self.pattern_k) + columns, np.float32)


Sensor = VisibleSensor | InfraredSensor | ThermalSensor


def _mean_up_to_white(values: Radiance) -> float:
    return float(np.minimum(values, 1.0).mean())


def _falloff(size: tuple[int, ...], strength: float) -> Radiance:
    """(H, W) float32, 1 in the middle, less towards the corners."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius2 = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / (max(width, height) / 2) ** 2
    return np.asarray(1 / (1 + strength * radius2) ** 2, dtype=np.float32)


def _blurred(values: Radiance, deviation_px: float) -> Radiance:
    if deviation_px <= 0:
        return values
    return np.asarray(cv2.GaussianBlur(values, (0, 0), deviation_px), np.float32)


_WHITE = 2.0
_BRIGHTEST = 60.0


def _bloomed(values: Radiance, share: float) -> Radiance:
    """`values` with a halo of lens flare around what is far above white.

    The halo is computed at a quarter of the size; what is not over-exposed has none.
    """
    if share <= 0 or float(values.max()) <= _WHITE:
        return values
    height, width = values.shape[:2]
    excess = np.clip(values - _WHITE, 0, _BRIGHTEST)
    small = cv2.resize(
        excess, (max(width // 4, 1), max(height // 4, 1)), None, 0, 0, cv2.INTER_AREA
    )
    near = cv2.GaussianBlur(small, (0, 0), max(width / 400, 0.6))
    far = cv2.GaussianBlur(small, (0, 0), max(width / 80, 1.2))
    halo = cv2.resize(0.6 * near + 0.4 * far, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(values + halo * share, np.float32)


def _srgb(values: Radiance) -> Radiance:
    """Linear values in [0, 1] as IEC 61966-2-1 encodes them."""
    curved = 1.055 * np.maximum(values, 1e-6) ** (1 / 2.4) - 0.055
    return np.asarray(np.where(values < 0.0031308, 12.92 * values, curved), np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], deviation: float) -> Radiance:
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)


def _to_bytes(values: Radiance) -> Picture:
    return np.asarray(np.clip(values, 0, 1) * 255 + 0.5, dtype=np.uint8)
