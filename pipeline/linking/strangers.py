"""How alike strangers look at this very site, and what that takes from the evidence of looks.

A calibration is fitted elsewhere. Where people are small, dark or dressed alike, strangers look
more alike than it knows, and everything it says for "the same person" is too bold. Two people in
one picture at one moment are strangers for certain, so a site shows by itself how alike its
strangers are. A likelihood ratio has a mean of 1 over strangers (A. M. Turing, in I. J. Good,
"Weight of evidence: a brief survey", Bayesian Statistics 2, 1985); where its mean over those of the
site is larger, what it says for one person is divided by that.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.linking.evidence import Calibrated, Floats
from streams.types import CameraId, Modality

Vector = npt.NDArray[np.float32]
Lights = tuple[Modality, Modality]

FEWEST = 10
"""Pairs of strangers in one pair of lights below which nothing is concluded."""
HALF_BELIEVED = 20
"""Pairs with which half of the correction is applied; all of it in the limit."""
NEWEST = 2000
"""Pairs that are remembered: a site changes with weather and season."""
_LATELY = 256
_UPPER = 84.13
"""Percentile one standard deviation above the median of a normal distribution. The upper half
alone is looked at, and not its end, where one body may have been found twice."""
_LEAST_DEVIATION = 0.02
_SIGMAS = np.linspace(-4, 4, 161)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _View:
    camera: CameraId
    track: str
    first_seen_us: int
    last_seen_us: int
    means: Mapping[Modality, Vector]


class Strangers:
    """Similarities of people who were in one picture together. Used by one thread."""

    def __init__(self) -> None:
        self._lately: deque[_View] = deque(maxlen=_LATELY)
        self._found: dict[Lights, deque[float]] = {}

    def see(
        self,
        camera: CameraId,
        track: str,
        *,
        first_seen_us: int,
        last_seen_us: int,
        means: Mapping[Modality, Vector],
    ) -> None:
        """Told of each view, about in the order of time.

        Args:
            means: Per modality, a unit vector (D,) around the centre; a view without any tells
                nothing.
        """
        view = _View(
            camera=camera,
            track=track,
            first_seen_us=first_seen_us,
            last_seen_us=last_seen_us,
            means=means,
        )
        for other in self._lately:
            if (
                other.camera == camera
                and other.track != track
                and other.first_seen_us < last_seen_us
                and first_seen_us < other.last_seen_us
            ):
                self._compare(view, other)
        if means:
            self._lately.append(view)

    def correct(self, calibration: Calibrated) -> Calibrated:
        """The calibration as it holds among the strangers seen so far; itself if it fits them."""
        less = {
            lights: mean
            for lights, found in self._found.items()
            if (mean := _mean_log_ratio(np.array(found), lights, calibration)) > 0
        }
        return _Corrected(calibration=calibration, less=less) if less else calibration

    def _compare(self, a: _View, b: _View) -> None:
        for one, mine in a.means.items():
            for other, theirs in b.means.items():
                found = self._found.setdefault(_ordered(one, other), deque(maxlen=NEWEST))
                found.append(float(mine @ theirs))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Corrected:
    """Says less for one person than the calibration does; says the same against.

    Attributes:
        less: By pair of lights, what is taken from a logarithm above 0, down to 0.
    """

    calibration: Calibrated
    less: Mapping[Lights, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.calibration.name}, held against strangers of this site"

    def centre(self, light: Modality) -> Floats | None:
        return self.calibration.centre(light)

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        ratio = self.calibration.likelihood_ratio(similarity, a, b)
        less = self.less.get(_ordered(a, b), 0.0)
        return ratio if ratio <= 1 else max(1.0, ratio * math.exp(-less))


def _mean_log_ratio(
    similarities: npt.NDArray[np.float64], lights: Lights, calibration: Calibrated
) -> float:
    """Logarithm of the mean likelihood ratio over these strangers, shrunk where they are few.

    Their similarities are taken as normally distributed, so that one pair does not decide.
    """
    n = len(similarities)
    if n < FEWEST:
        return 0.0
    middle, upper = np.percentile(similarities, [50, _UPPER])
    deviation = max(float(upper - middle), _LEAST_DEVIATION)
    weights = np.exp(-(_SIGMAS**2) / 2)
    ratios = [
        calibration.likelihood_ratio(min(max(float(s), -1.0), 1.0), *lights)
        for s in middle + _SIGMAS * deviation
    ]
    return math.log(float(weights @ ratios / weights.sum())) * n / (n + HALF_BELIEVED)


def _ordered(a: Modality, b: Modality) -> Lights:
    return (a, b) if a <= b else (b, a)
