"""Visits as an operator reads them: where, when, in what light, how sure, and on what grounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.api.answers import LinkAnswer, SightingAnswer
from pipeline.api.routing import PREFIX
from pipeline.linking.topology import Topology, Way, range_words, words
from pipeline.web.wording import chance_words, count_words
from streams.types import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A picture of somebody; `words` say who, where and when."""

    address: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """Somebody who was weighed.

    Attributes:
        who: Short name; None: nobody known.
        percent: 0 to 100, for a bar.
    """

    who: str | None
    role: str
    percent: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """How they came here.

    Attributes:
        usual: What is usual on this way, in words; None: too little is known of it.
        way: What was learned of it; None: nothing.
    """

    from_camera: str
    took: str
    took_s: float
    usual: str | None
    way: Way | None


def crops_of(visit: SightingAnswer, *, most: int) -> list[Crop]:
    """Its best pictures."""
    light = "by day" if visit.modality == "visible" else "by night"
    who = visit.identity or "somebody"
    base = f"{PREFIX}/sightings/{visit.sighting}/pictures"
    return [
        Crop(address=f"{base}/{picture}", words=f"{who} at {visit.camera} {light}")
        for picture in visit.pictures[:most]
    ]


def claim(visit: SightingAnswer) -> str:
    """How sure it is who this is, in a few words."""
    link = visit.link
    if link.is_operators:
        return f"{link.made_by} said so"
    if link.decision == "new":
        return "first seen here as a new person"
    if link.probability is None:
        return "nobody to compare with"
    chance = chance_words(link.probability)
    if link.decision == "unsure":
        return f"not sure, perhaps {link.candidate or 'somebody else'} ({chance})"
    return f"probably the same person ({chance})"


def evidence(visit: SightingAnswer, topology: Topology) -> str:
    """What the claim rests on, in a line; empty where nothing may be told."""
    link = visit.link
    if link.is_operators:
        return link.reason
    said: list[str] = []
    transit = transit_of(visit, topology)
    if transit is not None:
        said.append(f"{transit.took} after {transit.from_camera}")
        if transit.usual is not None:
            said[-1] += f", usual {transit.usual}"
    n_crops = link.grounds.get("n_crops")
    if isinstance(n_crops, int) and link.probability is not None:
        compared = "picture" if n_crops == 1 else "pictures"
        said.append(f"{n_crops} {compared} compared{_lights(link)}")
    return "; ".join(said)


def chances_of(link: LinkAnswer) -> list[Chance]:
    """Who was weighed: the best, the next, and that it is nobody known."""
    found: list[Chance] = []
    if link.probability is not None:
        found.append(_chance(link.candidate, "best", link.probability))
    if link.runner_up_probability is not None:
        found.append(_chance(link.runner_up, "next", link.runner_up_probability))
    nobody = link.grounds.get("nobody")
    if isinstance(nobody, float | int) and link.probability is not None:
        found.append(_chance(None, "nobody known", max(0.0, float(nobody))))
    return found


def transit_of(visit: SightingAnswer, topology: Topology) -> Transit | None:
    """Where they came from, and whether that took the usual time."""
    grounds = visit.link.grounds
    start, took_s = grounds.get("transit_from"), grounds.get("transit_s")
    if not isinstance(start, str) or not isinstance(took_s, float | int):
        return None
    way = topology.ways.get((CameraId(start), CameraId(visit.camera)))
    usual = None if way is None else way.usual_s
    return Transit(
        from_camera=start,
        took=words(float(took_s)),
        took_s=float(took_s),
        usual=None if usual is None else range_words(*usual),
        way=way,
    )


def facts_of(visit: SightingAnswer) -> Mapping[str, str]:
    """All else that the decision rests on, by name."""
    link, grounds = visit.link, visit.link.grounds
    found: dict[str, str] = {}
    if not link.is_operators:
        found["a link takes"] = f"{chance_words(link.threshold)} or more"
    numbers = (
        ("similarity", "likeness of looks", "{:.2f} of 1"),
        ("runner_up_similarity", "likeness of the next", "{:.2f} of 1"),
        ("likelihood_ratio", "looks speak for it", "{:.4g} to 1"),
        ("prior", "chance before looking", "{:.1%}"),
        ("ground_m", "feet apart on the ground", "{:.1f} m"),
        ("overlap_s", "in another view meanwhile", "{:.0f} s, which the clocks allow"),
    )
    for key, name, form in numbers:
        value = grounds.get(key)
        if isinstance(value, float | int):
            found[name] = form.format(value)
    eligible, out = grounds.get("n_eligible"), grounds.get("n_ruled_out")
    if isinstance(eligible, int) and isinstance(out, int):
        found["who could be meant"] = (
            f"{count_words(eligible, 'person', 'persons')}; {out} ruled out"
        )
    found["network"] = visit.model
    found["calibration"] = link.calibration
    found["decided by"] = link.made_by
    return found


def _chance(who: str | None, role: str, probability: float) -> Chance:
    return Chance(
        who=who,
        role=role,
        percent=round(100 * min(1.0, max(0.0, probability)), 1),
        words=chance_words(probability),
    )


def _lights(link: LinkAnswer) -> str:
    pair = link.grounds.get("pair")
    if not isinstance(pair, str):
        return ""
    lights = {"visible": "day", "infrared": "night"}
    mine, _, theirs = pair.partition("-")
    if mine == theirs:
        return f", both by {lights.get(mine, mine)}"
    return f", {lights.get(mine, mine)} against {lights.get(theirs, theirs)}"
