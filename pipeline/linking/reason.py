"""Why: one sentence for the operator, and the numbers behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pipeline.linking.circumstances import Circumstances
from pipeline.linking.config import LinkingConfig
from pipeline.linking.constraints import Exclusion
from pipeline.linking.gallery import Look
from storage.transits import APPEARANCE
from storage.types import Decision, IdentityId, person_name
from streams.types import Modality

_MOST_NAMED = 3
_OPENINGS = {
    Decision.LINK: "probably the same person as ",
    Decision.NEW: "nobody known looks like this; closest ",
    Decision.UNSURE: "not sure: perhaps ",
}


class Weighed(Protocol):
    """A candidate of the linker."""

    @property
    def identity(self) -> IdentityId: ...
    @property
    def probability(self) -> float: ...
    @property
    def of_looks(self) -> float: ...
    @property
    def similarity(self) -> float: ...
    @property
    def pair(self) -> tuple[Modality, Modality]: ...
    @property
    def nearest(self) -> Look: ...
    @property
    def n_looks(self) -> int: ...
    @property
    def log_ratio(self) -> float: ...
    @property
    def circumstances(self) -> Circumstances: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Somebody of an earlier day, whom only an operator may link.

    Attributes:
        probability: Of looks alone, at even odds before looking, [0, 1].
    """

    identity: IdentityId
    probability: float
    last_seen_us: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Argument:
    """All that a decision was made from.

    Attributes:
        candidates: Most probable first.
        ruled_out: Those who look alike and cannot be meant, the most alike first.
        n_ruled_out: All who cannot be meant.
        n_eligible: Identities that share in the prior.
        n_crops: Pictures that were compared.
        trust: Of these pictures, in [0, 1].
        tolerated_s: How long the clocks have the best candidate in two places at once, seconds.
        at_us: When the visit began.
    """

    candidates: Sequence[Weighed]
    ruled_out: Sequence[Exclusion]
    n_ruled_out: int
    n_eligible: int
    n_crops: int
    trust: float
    tolerated_s: float
    suggestion: Suggestion | None
    at_us: int


def sentence(decision: Decision, argument: Argument, config: LinkingConfig) -> str:
    """What the operator reads."""
    if argument.candidates:
        words = _OPENINGS[decision] + _likeness(argument, config)
        words += "".join(
            f", next {person_name(c.identity)} with {percent(c.probability)}"
            for c in argument.candidates[1:2]
        )
    else:
        words = "nobody known to compare with"
    return words + _ruled_out(argument) + _suggested(argument)


def grounds(argument: Argument, config: LinkingConfig) -> dict[str, float | int | str]:
    """The numbers by name, rounded to what they are worth; those that nothing said are left out."""
    found: dict[str, float | int | str] = {
        "n_crops": argument.n_crops,
        "n_eligible": argument.n_eligible,
        "n_ruled_out": argument.n_ruled_out,
        "trust": round(argument.trust, 3),
        "link_at": config.links_from,
        "new_at": config.new_from,
        "nobody": _rounded(1 - sum(c.probability for c in argument.candidates)),
    }
    if argument.candidates:
        best = argument.candidates[0]
        found["prior"] = _rounded(config.returning / max(argument.n_eligible, 1))
        found |= _of_candidate(best)
        if argument.tolerated_s > 0:
            found["overlap_s"] = round(argument.tolerated_s, 1)
            found["clock_skew_s"] = config.clock_skew_s
    if len(argument.candidates) > 1:
        rival = argument.candidates[1]
        found["runner_up_similarity"] = round(rival.similarity, 4)
        found["runner_up_likelihood_ratio"] = _rounded(math.exp(rival.log_ratio))
    if argument.suggestion is not None:
        found["suggested"] = person_name(argument.suggestion.identity)
        found["suggested_probability"] = _rounded(argument.suggestion.probability)
    return found


def percent(probability: float) -> str:
    """A probability for people; never a hundred where there is doubt.

    >>> percent(0.914), percent(0.9999), percent(1.0)
    ('91%', 'over 99%', '100%')
    """
    return "over 99%" if 0.995 <= probability < 1 else f"{probability:.0%}"


def _of_candidate(best: Weighed) -> dict[str, float | int | str]:
    found: dict[str, float | int | str] = {
        APPEARANCE: _rounded(best.of_looks),
        "similarity": round(best.similarity, 4),
        "pair": "-".join(light.value for light in best.pair),
        "n_looks": best.n_looks,
        "likelihood_ratio": _rounded(math.exp(best.log_ratio)),
        "nearest_camera": str(best.nearest.camera),
    }
    if best.nearest.sighting is not None:
        found["nearest_sighting"] = int(best.nearest.sighting)
    transit, feet = best.circumstances.transit, best.circumstances.feet
    if transit is not None:
        found["transit_from"] = str(transit.camera)
        found["transit_s"] = round(transit.gap_s, 1)
        found["transit_log_ratio"] = 0.0 if feet is not None else _rounded(transit.log_ratio)
    if feet is not None:
        found["ground_m"] = round(feet.distance_m, 2)
        found["ground_log_ratio"] = _rounded(feet.log_ratio)
    return found


def _likeness(argument: Argument, config: LinkingConfig) -> str:
    best = argument.candidates[0]
    mine, theirs = best.pair
    light = f"both {mine}" if mine is theirs else f"{mine} and {theirs}"
    seen = datetime.fromtimestamp(best.nearest.first_seen_us / 1e6, UTC)
    said = [
        f"similarity {best.similarity:.2f}, {light}",
        f"nearest {best.nearest.camera} at {seen:%H:%M:%S} UTC",
    ]
    transit, feet = best.circumstances.transit, best.circumstances.feet
    if feet is not None:
        said.append(f"feet {feet.distance_m:.1f} m apart at that moment")
    if transit is not None and transit.words is not None:
        said.append(transit.words)
    if argument.tolerated_s > 0:
        said.append(
            f"in another view for {argument.tolerated_s:.0f} s of this, but clocks may differ by "
            f"{config.clock_skew_s:g} s"
        )
    return f"{person_name(best.identity)} with {percent(best.probability)} ({'; '.join(said)})"


def _ruled_out(argument: Argument) -> str:
    """Those who look alike, by what rules them out; the first few are named."""
    named: dict[str, list[str]] = {}
    for exclusion in argument.ruled_out[:_MOST_NAMED]:
        named.setdefault(exclusion.words, []).append(person_name(exclusion.identity))
    words = "".join(f"; {', '.join(names)} ruled out, {why}" for why, names in named.items())
    n_more = len(argument.ruled_out) - _MOST_NAMED
    return f"{words}; {n_more} more who look alike ruled out" if n_more > 0 else words


def _suggested(argument: Argument) -> str:
    if argument.suggestion is None:
        return ""
    name = person_name(argument.suggestion.identity)
    ago_h = (argument.at_us - argument.suggestion.last_seen_us) / 3.6e9
    ago = f"{ago_h:.0f} hours" if ago_h < 48 else f"{ago_h / 24:.0f} days"
    return (
        f"; looks like {name} of {ago} ago ({percent(argument.suggestion.probability)}), but "
        f"clothes change: confirm with `noctule verdict same SIGHTING {name}`"
    )


def _rounded(value: float) -> float:
    """To four significant digits."""
    return float(f"{value:.4g}")
