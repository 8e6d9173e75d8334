"""Re-ranking, used for what it is good for: the order of answers, never a probability.

By day and by night the nearest views of the other light are often of people dressed alike. Where
views know each other's neighbourhoods, k-reciprocal re-ranking of vectors without what a light adds
to all of them orders much better (on the tuning half of `benchmarks.link_days` mean average
precision across light rises from .63 to .74; within one light plain cosine is as good). So looks
speak for one person across light only if each view is among the first few answers of the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.reid.rerank.centring import camera_means, centre
from models.reid.rerank.load import look_at
from pipeline.linking.refine.evidence import Matrix
from pipeline.linking.refine.views import View
from streams.types import Modality

FIRST_FEW = 4
"""More let look-alikes through, fewer lose people who were seen often: of 3 to 7 the best on the
tuning half."""
FEWEST = 16
"""Views of each light below which neighbourhoods say nothing."""


def without_look_alikes(views: Sequence[View], log_ratio: Matrix) -> Matrix:
    """(N, N): the same, but nothing speaks for one person between views of different light that
    are not among each other's first few answers. Views in both lights stay as they are.
    """
    light = np.array([_light(view) for view in views], np.int64)
    if min(np.count_nonzero(light == 0), np.count_nonzero(light == 1)) < FEWEST:
        return log_ratio
    single = np.flatnonzero(light >= 0)
    lights = light[single]
    vectors = np.array([next(iter(views[i].means.values())) for i in single.tolist()], np.float32)
    vectors = centre(vectors, lights, camera_means(vectors, lights))
    scores = look_at(vectors, "k-reciprocal").order_scores(vectors)
    across = lights[:, None] != lights[None, :]
    place = _places(np.where(across, scores, -np.inf))
    denied = across & (np.maximum(place, place.T) >= FIRST_FEW)
    rows = np.ix_(single, single)
    answer = log_ratio.copy()
    answer[rows] = np.where(denied, np.minimum(log_ratio[rows], 0), log_ratio[rows])
    return answer


def _light(view: View) -> int:
    """0 visible, 1 infrared, -1 both."""
    if len(view.means) > 1:
        return -1
    return 0 if Modality.VISIBLE in view.means else 1


def _places(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """(N, N) 0, 1, ...: how early each column comes in its row."""
    order = np.argsort(-scores, axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(len(order)), order.shape), axis=1)
    return places
