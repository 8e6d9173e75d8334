"""Rain and headlights, laid over the light of a picture before the sensor sees it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from simulator.optics.cameras import View
from simulator.optics.illumination import Daylight, Illuminator, Light, Radiance, Warmth

_MOST_DROPS = 2500
_NEAR_M, _FAR_M = 0.35, 6.0
_HEAVIEST_MM_H = 50.0
_DROP_BACKSCATTER = 0.12
_SUB_PIXEL_BITS = 3
_DEFOCUS_PX_M = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rain:
    """Falling drops, seen as streaks.

    Diameters follow Marshall and Palmer (1948), N(D) = 8000 exp(-4.1 R^-0.21 D) per m3 and mm for
    R mm/h; they fall at 9.65 - 10.3 exp(-0.6 D) m/s (Atlas, Srivastava and Sekhon 1973). A drop
    covers a point of its streak for D / (speed * shutter) of the exposure and shows the sky there
    (Garg and Nayar 2007): by day rain is faint. Before an infrared lamp the nearest drops, which
    the inverse square favours, blaze.

    Attributes:
        strength: 0 is dry, 1 a cloudburst of 50 mm/h.
        shutter_s: Exposure time; longer makes streaks longer and fainter.
        slant: Metres that drops drift to the right while they fall one.
    """

    strength: float
    shutter_s: float = 1 / 100
    slant: float = 0.12

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength: expected 0 to 1, got {self.strength}")

    def over(
        self, light: Radiance, view: View, source: Light, rng: np.random.Generator
    ) -> Radiance:
        """`light` with this moment's drops.

        Args:
            light: (H, W, 3) visible, or (H, W) near infrared or thermal.
            source: What the picture was drawn with.
        """
        if self.strength == 0:
            return light
        if isinstance(source, Warmth):
            # Drops have the temperature of the air and fill a part of every line of sight.
            kept = np.float32(1 - 0.18 * self.strength)
            return np.asarray(source.air_c + (light - source.air_c) * kept, np.float32)
        drops = self._drops(view, rng)
        covered = self._streaks(drops, view)
        bright = float(np.percentile(light, 97))
        if isinstance(source, Daylight):
            veil = np.float32(0.10 * self.strength)
            hazy = light * (1 - veil) + np.float32(0.6 * bright) * veil
            share = np.minimum(covered, 0.9)[..., None]
            return np.asarray(hazy * (1 - share) + np.float32(bright) * share, np.float32)
        lit = self._streaks(drops, view, brightness=_beam(source, drops.away_m))
        veil = np.float32(0.0006 * self.strength * source.power)
        return np.asarray(light * (1 - 0.1 * self.strength) + lit + veil, np.float32)

    def _drops(self, view: View, rng: np.random.Generator) -> _Drops:
        """The drops nearest to the lens; all others only make haze."""
        rate = _HEAVIEST_MM_H * self.strength
        slope = 4.1 * rate**-0.21
        per_m3 = 8000 / slope * np.exp(-slope)  # of 1 mm and more
        width, height = view.size_px
        focal_px = _focal_px(view)
        cone = width * height / focal_px**2 / 3
        n_in_view = per_m3 * cone * (_FAR_M**3 - _NEAR_M**3)
        n = int(rng.poisson(min(n_in_view, _MOST_DROPS)))
        # With too many to draw, those of a nearer part of the cone are.
        far3 = _NEAR_M**3 + (_FAR_M**3 - _NEAR_M**3) * min(_MOST_DROPS / n_in_view, 1.0)
        away_m = np.cbrt(rng.uniform(_NEAR_M**3, far3, n))
        return _Drops(
            away_m=away_m,
            middle_px=rng.uniform((0, 0), (width, height), (n, 2)),
            diameter_m=(1 + rng.exponential(1 / slope, n)) / 1000,
        )

    def _streaks(
        self, drops: _Drops, view: View, brightness: npt.NDArray[np.float64] | None = None
    ) -> Radiance:
        """(H, W) float32 sum of the drops' shares of the exposure, times their brightness."""
        width, height = view.size_px
        focal_px = _focal_px(view)
        speed = 9.65 - 10.3 * np.exp(-0.6 * drops.diameter_m * 1000)
        length_px = speed * self.shutter_s * focal_px / drops.away_m
        sharp_px = drops.diameter_m * focal_px / drops.away_m
        # The lens is focused far away: near drops are spread out and fainter.
        wide_px = sharp_px + _DEFOCUS_PX_M / drops.away_m
        share = np.minimum(drops.diameter_m / (speed * self.shutter_s), 1)
        share = share * sharp_px / np.maximum(wide_px, 1)
        value = share if brightness is None else share * brightness
        way = np.stack([length_px * self.slant, length_px], axis=1) / 2
        one = 1 << _SUB_PIXEL_BITS
        starts = np.round((drops.middle_px - way) * one).astype(int)
        ends = np.round((drops.middle_px + way) * one).astype(int)
        layer = np.zeros((height, width), np.float32)
        # Drops do not add up where they cross: too rare to matter, and lines are drawn, not summed.
        for k in np.argsort(value):
            thick = max(round(float(wide_px[k])), 1)
            a, b = starts[k].tolist(), ends[k].tolist()
            cv2.line(layer, a, b, float(value[k]), thick, cv2.LINE_8, _SUB_PIXEL_BITS)
        return np.asarray(cv2.GaussianBlur(layer, (0, 0), 0.8), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headlights:
    """A car that comes by with its lights on: glare, and a scene lit for a moment.

    Automatic exposure (`AutoExposure`) then darkens everything else.

    Attributes:
        starts_at_s, lasts_s: When they show.
        start_px, end_px: Where the pair shows first and last.
        strength: Light of each lamp in the picture; white is about 2.
        apart_px: Between the two lamps.
        lights_up: Share by which the scene gets brighter at most.
    """

    starts_at_s: float
    lasts_s: float = 4.0
    start_px: tuple[float, float] = (40.0, 130.0)
    end_px: tuple[float, float] = (600.0, 170.0)
    strength: float = 60.0
    apart_px: float = 26.0
    lights_up: float = 0.8

    def over(self, light: Radiance, time_s: float, source: Light) -> Radiance:
        """`light` at `time_s`; unchanged before and after, and for a thermal camera."""
        share = (time_s - self.starts_at_s) / self.lasts_s
        if not 0 < share < 1 or isinstance(source, Warmth):
            return light
        # A car turns towards the camera and away again.
        facing = np.sin(np.pi * share) ** 2
        middle = np.array(self.start_px) * (1 - share) + np.array(self.end_px) * share
        y, x = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
        glare = np.zeros(light.shape[:2], np.float32)
        for side in (-0.5, 0.5):
            away2 = (x - middle[0] - side * self.apart_px) ** 2 + (y - middle[1]) ** 2
            glare += np.exp(-away2 / 18) + 0.03 / (1 + away2 / 300) + 0.002 / (1 + away2 / 2e4)
        glare *= np.float32(self.strength * facing)
        brighter = light * np.float32(1 + self.lights_up * facing)
        if light.ndim == 2:
            return np.asarray(brighter + glare, np.float32)
        return np.asarray(brighter + glare[..., None] * _HEADLIGHT, np.float32)


_HEADLIGHT = np.array((1.0, 0.95, 0.85), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Drops:
    """N drops: distances (N,), where in the picture they are (N, 2), diameters (N,)."""

    away_m: npt.NDArray[np.float64]
    middle_px: npt.NDArray[np.float64]
    diameter_m: npt.NDArray[np.float64]


def _focal_px(view: View) -> float:
    return float(view.size_px[0] / 2 / np.tan(np.radians(view.field_deg) / 2))


def _beam(lamp: Illuminator, away_m: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N,) light that drops throw back; nearer than the offset the beam has not opened yet."""
    return np.asarray(lamp.power * _DROP_BACKSCATTER / (away_m**2 + lamp.offset_m**2))
