"""Fits a calibration to people whom the network has not seen, and checks it on the other half.

Scores are those the linker meets: cosines between the unit means of two tracklets, around what all
people have in common in each light. A tracklet is all crops of one person by one camera in one
light. Of the pairs of one person, those of the same camera and light are left out; strangers count
also within one camera, where background makes them alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.datasets.types import LabelledImage, read_pixels
from models.errors import PictureInvalid
from models.reid.calibration import CAUTION, Calibration, Pair, around, fit_curve, pair_of
from models.reid.embedder import Embedder
from models.reid.pictures import picture_crop
from models.types import ModelId
from streams.types import Modality

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracklets:
    """Tracklets of known people.

    Attributes:
        people: (T,) who.
        views: (T,) light and camera.
        means: (T, D) float32 unit rows.
    """

    people: tuple[str, ...]
    views: tuple[tuple[Modality, str], ...]
    means: Floats

    def of(self, people: Collection[str]) -> Tracklets:
        """Those of some people."""
        kept = [i for i, person in enumerate(self.people) if person in people]
        return Tracklets(
            people=tuple(self.people[i] for i in kept),
            views=tuple(self.views[i] for i in kept),
            means=self.means[kept],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Similarities of pairs of tracklets in one pair of lights.

    Attributes:
        same: (N,) float32, of one person.
        different: (M,) float32, of two people.
    """

    same: Floats
    different: Floats


def embed_tracklets(images: Sequence[LabelledImage], embedder: Embedder) -> Tracklets:
    """Unit means over all pictures of one person by one camera in one light."""
    views: dict[tuple[str, Modality, str], list[LabelledImage]] = {}
    for image in images:
        views.setdefault((image.person, image.modality, image.camera), []).append(image)
    means = [_mean(pictures, embedder) for pictures in views.values()]
    return Tracklets(
        people=tuple(person for person, _, _ in views),
        views=tuple((light, camera) for _, light, camera in views),
        means=np.stack(means) if means else np.empty((0, embedder.dimension), np.float32),
    )


def people_means(tracklets: Tracklets) -> dict[Modality, Floats]:
    """Per light, the (D,) mean over people of the mean of their tracklets."""
    found = {}
    for light in Modality:
        rows = [i for i, (lit, _) in enumerate(tracklets.views) if lit is light]
        people = {tracklets.people[i] for i in rows}
        if people:
            found[light] = np.mean(
                [
                    tracklets.means[[i for i in rows if tracklets.people[i] == person]].mean(0)
                    for person in sorted(people)
                ],
                axis=0,
            )
    return found


def around_means(tracklets: Tracklets, means: Mapping[Modality, Floats]) -> Tracklets:
    """The same tracklets less the mean of their light."""
    centres = np.array([means[light] for light, _ in tracklets.views])
    return replace(tracklets, means=around(tracklets.means, centres))


def tracklet_scores(tracklets: Tracklets) -> dict[Pair, Scores]:
    """Scores of all pairs of tracklets that count, per pair of lights."""
    similarity = tracklets.means @ tracklets.means.T
    first, second = np.triu_indices(len(tracklets.people), 1)
    people, views = _codes(tracklets.people), _codes(tracklets.views)
    is_infrared = np.array([light is Modality.INFRARED for light, _ in tracklets.views], np.bool_)
    same_person, same_view = people[first] == people[second], views[first] == views[second]
    values = similarity[first, second]
    n_infrared = is_infrared[first].astype(int) + is_infrared[second]
    scores = {}
    for pair, n in zip((pair_of(*lights) for lights in _LIGHTS), (0, 2, 1), strict=True):
        scores[pair] = Scores(
            same=values[(n_infrared == n) & same_person & ~same_view],
            different=values[(n_infrared == n) & ~same_person],
        )
    return scores


def fit(
    scores: Mapping[Pair, Scores],
    model: ModelId,
    *,
    name: str,
    widening: float = 1.0,
    caution: float = CAUTION,
    means: Mapping[Modality, Floats],
) -> Calibration:
    """One curve per pair of lights.

    Args:
        scores: Of tracklets around `means`.
        widening: What slopes are divided by; 1 keeps the fit.
        caution: What likelihood ratios are divided by; 1 keeps the fit.
        means: Per light, what people have in common, (D,).

    Raises:
        PictureInvalid: A pair of lights has nobody twice, or nobody else, or strangers are more
            alike than friends.
    """
    curves = {}
    for pair, each in scores.items():
        try:
            curves[pair] = fit_curve(each.same, each.different, widening=widening, caution=caution)
        except ValueError as error:
            raise PictureInvalid(
                f"{pair}: {error}; calibration needs several people, each seen by two cameras in "
                f"both lights"
            ) from error
    return Calibration(
        name=name,
        model=model,
        visible_visible=curves[Pair.VISIBLE_VISIBLE],
        infrared_infrared=curves[Pair.INFRARED_INFRARED],
        visible_infrared=curves[Pair.VISIBLE_INFRARED],
        means={
            light: tuple(np.round(np.asarray(mean, np.float64), 6).tolist())
            for light, mean in means.items()
        },
    )


def fit_tracklets(
    tracklets: Tracklets,
    model: ModelId,
    *,
    name: str,
    widening: float = 1.0,
    caution: float = CAUTION,
) -> Calibration:
    """A fit to people around what they have in common.

    Raises:
        PictureInvalid: As `fit`.
    """
    means = people_means(tracklets)
    scores = tracklet_scores(around_means(tracklets, means))
    return fit(scores, model, name=name, widening=widening, caution=caution, means=means)


def halves(people: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Two halves of people: every second one in order of name."""
    ordered = sorted(set(people))
    return frozenset(ordered[::2]), frozenset(ordered[1::2])


_LIGHTS = (
    (Modality.VISIBLE, Modality.VISIBLE),
    (Modality.INFRARED, Modality.INFRARED),
    (Modality.VISIBLE, Modality.INFRARED),
)


def _codes(values: Sequence[object]) -> npt.NDArray[np.int64]:
    """Each distinct value as a number."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)


def _mean(images: Sequence[LabelledImage], embedder: Embedder) -> Floats:
    crops = [picture_crop(read_pixels(i.path), i.modality.value) for i in images]
    mean = embedder.embed(crops).vectors.mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)
