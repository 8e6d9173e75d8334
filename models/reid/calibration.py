"""From a similarity to the probability that two tracklets show one person.

The scale of similarities differs with the light of both sides: two infrared tracklets of strangers
are closer than a visible and an infrared one of the same person. One logistic curve per pair of
lights makes them comparable (Platt, "Probabilistic outputs for support vector machines", 1999).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.config import EmbedderConfig
from models.errors import WeightsRefused
from models.types import ModelId
from models.weights import obtain
from streams.types import Modality

DEFAULT_PRIOR = 0.15
"""Share of compared pairs that show one person, when nothing else is known: a tracklet meets a
handful of plausible identities, and often none of them is right."""
CAUTION = 2.0
"""People drawn at random are dressed less alike than those of a site, who may wear one uniform or
one season's black, so likelihood ratios are divided by this. Chosen among 1, 2 and 4 on the tuning
half of `benchmarks.link_days` (docs/linking-measures.md)."""
MOST_EVIDENCE = 200.0
"""Looks alone never count for more than this, nor for less than its inverse: two people may be
dressed alike, and one may look like two in the light of another camera."""


class Pair(StrEnum):
    """Lights of the two sides of a comparison."""

    VISIBLE_VISIBLE = "visible-visible"
    INFRARED_INFRARED = "infrared-infrared"
    VISIBLE_INFRARED = "visible-infrared"


def pair_of(a: Modality, b: Modality) -> Pair:
    """The pair of two lights, in either order."""
    if a is not b:
        return Pair.VISIBLE_INFRARED
    return Pair.VISIBLE_VISIBLE if a is Modality.VISIBLE else Pair.INFRARED_INFRARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """log likelihood ratio of one person over two = slope * similarity + offset.

    Attributes:
        slope: Above 0: more similar is never less probable.
        widening: By how much the slope was divided after the fit, 1 or more: how little the
            footage of the fit is trusted to be like the footage it meets.
        caution: By how much likelihood ratios were divided after the fit, 1 or more: people drawn
            at random are dressed less alike than the people of a site.
    """

    slope: float
    offset: float
    widening: float = 1.0
    caution: float = 1.0

    def __post_init__(self) -> None:
        finite = math.isfinite(self.slope) and math.isfinite(self.offset)
        if not (finite and self.slope > 0 and self.widening >= 1 and self.caution >= 1):
            raise ValueError(
                f"curve: expected a finite slope above 0, a finite offset, widening and caution of "
                f"at least 1, got {self.slope}, {self.offset}, {self.widening}, {self.caution}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How to read the similarities of one network.

    Attributes:
        name: Of this calibration; stored with the links it decided.
        model: The network it belongs to; similarities of another mean something else.
        visible_visible: Curve of two visible tracklets.
        infrared_infrared: Curve of two infrared tracklets.
        visible_infrared: Curve across light.
        means: Per light, the (D,) mean vector over the people of the fit; similarities are cosines
            of vectors less such a mean. Empty: of vectors as they are.
    """

    name: str
    model: ModelId
    visible_visible: Curve
    infrared_infrared: Curve
    visible_infrared: Curve
    means: Mapping[Modality, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(mean) for mean in self.means.values()}
        finite = all(math.isfinite(value) for mean in self.means.values() for value in mean)
        is_whole = set(self.means) == set(Modality) and len(lengths) == 1 and 0 not in lengths
        if self.means and not (is_whole and finite):
            raise ValueError("means: expected finite numbers, as many in both lights")

    def centre(self, light: Modality) -> npt.NDArray[np.float64] | None:
        """(D,) what people have in common in this light, where nothing is known of the site; None
        if similarities are of vectors as they are."""
        return _vector(self.means[light]) if light in self.means else None

    def curve(self, pair: Pair) -> Curve:
        """The curve of a pair of lights."""
        return {
            Pair.VISIBLE_VISIBLE: self.visible_visible,
            Pair.INFRARED_INFRARED: self.infrared_infrared,
            Pair.VISIBLE_INFRARED: self.visible_infrared,
        }[pair]

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:
        """How much likelier this similarity is for one person than for two.

        Args:
            similarity: Cosine of the unit means of two tracklets around `centre`, in [-1, 1].
            a: Light of one side.
            b: Light of the other.

        Returns:
            Above 0, between `1 / MOST_EVIDENCE` and `MOST_EVIDENCE`.
        """
        curve = self.curve(pair_of(a, b))
        most = math.log(MOST_EVIDENCE)
        return math.exp(min(max(curve.slope * similarity + curve.offset, -most), most))

    def probability(
        self, similarity: float, a: Modality, b: Modality, *, prior: float = DEFAULT_PRIOR
    ) -> float:
        """Probability that two tracklets show one person, by looks and prior alone.

        Args:
            prior: Probability before looking, in (0, 1): lower where many strangers pass.

        Raises:
            ValueError: The prior is not above 0 and below 1.
        """
        if not 0 < prior < 1:
            raise ValueError(f"prior: expected above 0 and below 1, got {prior}")
        odds = self.likelihood_ratio(similarity, a, b) * prior / (1 - prior)
        return odds / (1 + odds)


def around(vectors: npt.NDArray[np.float32], centre: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Vectors less a centre, as unit vectors; one that is just that stays at 0.

    Args:
        vectors: (..., D) unit vectors.
        centre: (D,), or (..., D) of each.
    """
    less = vectors - np.asarray(centre, np.float64)
    lengths = np.maximum(np.linalg.norm(less, axis=-1, keepdims=True), 1e-6)
    return np.asarray(less / lengths, np.float32)


@lru_cache(maxsize=8)
def _vector(numbers: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Asked for at every comparison."""
    vector = np.array(numbers)
    vector.flags.writeable = False
    return vector


def fit_curve(
    same: npt.NDArray[np.float32],
    different: npt.NDArray[np.float32],
    *,
    widening: float = 1.0,
    caution: float = 1.0,
) -> Curve:
    """The logistic curve of a pair of lights, at even odds before looking, then widened.

    Both classes weigh the same, so the prior stays a parameter, and targets are Platt's softened
    ones, so that classes that do not overlap still give a finite slope. Widening divides the slope
    around the similarity of even odds: there the answer stays, away from it less is claimed.

    Args:
        same: Similarities of tracklets of one person, at least one.
        different: Similarities of tracklets of different people, at least one.
        widening: 1 keeps the slope.
        caution: 1 keeps the likelihood ratios; more divides them.

    Raises:
        ValueError: A class is empty, or the fit says that strangers are more similar.
    """
    if not len(same) or not len(different) or widening < 1 or caution < 1:
        raise ValueError(
            f"calibration: expected pairs of both kinds, widening and caution of at least 1, got "
            f"{len(same)} same, {len(different)} different, widening {widening}, caution {caution}"
        )
    scores = np.concatenate((same, different)).astype(np.float64)
    targets = np.concatenate(
        (
            np.full(len(same), (len(same) + 1) / (len(same) + 2)),
            np.full(len(different), 1 / (len(different) + 2)),
        )
    )
    weights = np.concatenate(
        (np.full(len(same), 0.5 / len(same)), np.full(len(different), 0.5 / len(different)))
    )

    def cost(parameters: npt.NDArray[np.float64]) -> float:
        odds = parameters[0] * scores + parameters[1]
        return float(weights @ (np.logaddexp(0, odds) - targets * odds))

    from scipy.optimize import minimize  # takes half a second: for those who fit

    middle = (same.mean() + different.mean()) / 2
    found = minimize(cost, np.array([10.0, -10.0 * middle]), method="L-BFGS-B").x
    slope, offset = float(found[0]) / widening, float(found[1]) / widening
    return Curve(slope=slope, offset=offset - math.log(caution), widening=widening, caution=caution)


def calibration_path(weights: Path) -> Path:
    """Where the calibration of a weights file lies: beside it."""
    return weights.with_suffix(".calibration.json")


def load_calibration(config: EmbedderConfig, *, model: ModelId) -> Calibration:
    """The calibration that the configuration names, or that came with its weights.

    Raises:
        WeightsUnavailable: The weights cannot be found.
        WeightsRefused: The calibration is missing, damaged, or made for another network.
    """
    own = Path(config.calibration).expanduser() if config.calibration else None
    return read_calibration(own or calibration_path(obtain(config.weights)), model=model)


def write_calibration(
    path: Path, calibration: Calibration, *, reliability: Mapping[str, object] | None = None
) -> None:
    """Writes a calibration that `read_calibration` reads, complete or not at all.

    Args:
        reliability: How it fared on people left out, for those who read the file.
    """
    fields = asdict(calibration)
    if reliability is not None:
        fields["reliability"] = reliability
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def read_calibration(path: Path, *, model: ModelId) -> Calibration:
    """The calibration in a JSON file, if it belongs to the network.

    Raises:
        WeightsRefused: Missing, damaged, or made for another network.
    """
    if not path.is_file():
        raise WeightsRefused(
            f"{path}: no calibration for {model}; fit one to people whom the network has not seen: "
            f"noctule calibrate --weights WEIGHTS --data DIR --out {path.name}"
        )
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(
            name=str(fields["name"]),
            model=ModelId(fields["model"]),
            visible_visible=Curve(**fields["visible_visible"]),
            infrared_infrared=Curve(**fields["infrared_infrared"]),
            visible_infrared=Curve(**fields["visible_infrared"]),
            means={Modality(k): tuple(map(float, v)) for k, v in fields.get("means", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsRefused(f"{path}: not a readable calibration: {error}") from error
    if calibration.model != model:
        raise WeightsRefused(
            f"{path}: made for {calibration.model}, but the embedder is {model}; its probabilities "
            f"would be wrong. Use the calibration that came with the weights, or fit a new one"
        )
    return calibration
