"""Is a probability of 0.7 right seven times in ten? Measured on people whom the fit did not see.

Reliability diagrams: DeGroot and Fienberg, "The comparison and evaluation of forecasters" (The
Statistician, 1983). The expected calibration error is the mean distance of the bars from the
diagonal, weighed by how often they are said (Naeini et al., AAAI 2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from models.evaluation.calibration import (
    Scores,
    Tracklets,
    around_means,
    fit_tracklets,
    halves,
    people_means,
    tracklet_scores,
)
from models.reid.calibration import CAUTION, DEFAULT_PRIOR, Calibration, Pair
from models.types import ModelId
from streams.types import Modality

N_BINS = 10
LIGHTS = {
    Pair.VISIBLE_VISIBLE: (Modality.VISIBLE, Modality.VISIBLE),
    Pair.INFRARED_INFRARED: (Modality.INFRARED, Modality.INFRARED),
    Pair.VISIBLE_INFRARED: (Modality.VISIBLE, Modality.INFRARED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Pairs of about the same probability.

    Attributes:
        said: Mean probability that was given, 0-1.
        true: Share of them that show one person, at the prior, 0-1.
        n_same: Pairs of one person.
        n_different: Pairs of two people.
    """

    said: float
    true: float
    n_same: int
    n_different: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How far the probabilities of one pair of lights can be taken at their word.

    Attributes:
        expected_error: Mean distance of what is said from what is true, 0-1.
        bars: By probability, empty ones left out.
    """

    expected_error: float
    bars: tuple[Bar, ...]


def measure_reliability(
    scores: Scores, calibration: Calibration, pair: Pair, *, prior: float = DEFAULT_PRIOR
) -> Reliability:
    """What a calibration says about pairs, beside what they are.

    Each kind of pair is weighed so that pairs of one person have the share `prior`, whatever their
    share in the data is.
    """
    said = np.array(
        [
            calibration.probability(float(value), *LIGHTS[pair], prior=prior)
            for value in np.concatenate((scores.same, scores.different))
        ]
    )
    is_same = np.arange(len(said)) < len(scores.same)
    weight = np.where(
        is_same, prior / max(len(scores.same), 1), (1 - prior) / max(len(scores.different), 1)
    )
    bin_of = np.minimum((said * N_BINS).astype(int), N_BINS - 1)
    bars, error = [], 0.0
    for number in np.unique(bin_of):
        inside = bin_of == number
        share = weight[inside].sum()
        bar = Bar(
            said=float((said * weight)[inside].sum() / share),
            true=float((is_same * weight)[inside].sum() / share),
            n_same=int((inside & is_same).sum()),
            n_different=int((inside & ~is_same).sum()),
        )
        bars.append(bar)
        error += float(share) * abs(bar.said - bar.true)
    return Reliability(expected_error=error / float(weight.sum()), bars=tuple(bars))


def cross_check(
    tracklets: Tracklets, model: ModelId, *, widening: float = 1.0, caution: float = CAUTION
) -> dict[Pair, Reliability]:
    """Reliability of a fit to one half of the people, on the other half.

    Raises:
        PictureInvalid: A half has too few people for a fit.
    """
    fitted, others = (tracklets.of(half) for half in halves(tracklets.people))
    calibration = fit_tracklets(
        fitted, model, name="half of the people", widening=widening, caution=caution
    )
    held_out = tracklet_scores(around_means(others, people_means(others)))
    return {pair: measure_reliability(held_out[pair], calibration, pair) for pair in Pair}


def reliability_fields(reliability: Mapping[Pair, Reliability]) -> dict[str, object]:
    """As JSON, per pair of lights."""
    return {str(pair): asdict(each) for pair, each in reliability.items()}


def draw(path: Path, reliability: Mapping[Pair, Reliability], *, title: str) -> None:
    """A PNG with one diagram per pair of lights: what is said across, what is true upwards."""
    import matplotlib as mpl  # half a second: for those who draw

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.4), layout="constrained")
    figure.suptitle(title)
    for axes, (pair, each) in zip(
        figure.subplots(1, len(reliability), sharey=True), reliability.items(), strict=True
    ):
        axes.plot([0, 1], [0, 1], color="grey", linestyle="--", label="as said")
        axes.plot([b.said for b in each.bars], [b.true for b in each.bars], marker="o", label="is")
        for bar in each.bars:
            axes.annotate(
                f"{bar.n_same}/{bar.n_different}",
                (bar.said, bar.true),
                xytext=(4, -10),
                textcoords="offset points",
                fontsize=7,
            )
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="probability said")
        axes.set_title(f"{pair}, expected error {each.expected_error:.3f}", fontsize=10)
    figure.axes[0].set_ylabel("share of one person")
    figure.axes[0].legend(loc="upper left")
    figure.savefig(path, dpi=100)
