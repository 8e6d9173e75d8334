"""People of earlier days who look alike: clothes change, so an operator decides."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipeline.linking.circumstances import Presence
from pipeline.linking.evidence import Calibrated, means_around_centre, weigh
from pipeline.linking.gallery import Gallery, Look, Vector
from pipeline.linking.past import FormerSelf
from pipeline.linking.reason import Suggestion
from streams.types import Modality

_NEAREST_PAST = 3
_SUGGEST_FROM = 0.5


def suggest(
    means: Mapping[Modality, Vector], presence: Presence, gallery: Gallery, calibration: Calibrated
) -> Suggestion | None:
    """Somebody of an earlier day who looks alike, for the operator to confirm; None if nobody does.

    The probability is that of looks alone, at even odds before looking.
    """
    ours = means_around_centre(means, calibration)
    found: list[tuple[float, FormerSelf]] = []
    for former in gallery.past.nearest(means, _NEAREST_PAST):
        look = Look(
            camera=presence.camera,
            first_seen_us=former.last_seen_us,
            last_seen_us=former.last_seen_us,
            means=former.means,
        )
        evidence = weigh(ours, [look], calibration)
        if evidence is not None:
            found.append((evidence.log_ratio, former))
    if not found:
        return None
    log_ratio, former = max(found, key=lambda each: (each[0], -each[1].identity))
    # Rivals of earlier days make the best of them less probable, as in `rank`.
    total = math.exp(-log_ratio) + sum(math.exp(each - log_ratio) for each, _ in found)
    if 1 / total < _SUGGEST_FROM:
        return None
    return Suggestion(
        identity=former.identity, probability=1 / total, last_seen_us=former.last_seen_us
    )
