"""Person of interest: somebody on the list was seen, by name or by example pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.alerts.settings import RuleSettings, Site
from pipeline.alerts.types import Event, Finding, Ground, Visit, Wanted
from pipeline.errors import RuleUnusable
from pipeline.linking.evidence import Calibrated, Evidence, means_around_centre, weigh
from pipeline.linking.gallery import Look
from storage.desk.types import AlertSeverity
from streams.types import Modality


class PersonOfInterest(RuleSettings):
    """Somebody of the list of persons of interest is seen, by day or by night."""

    sees: ClassVar[tuple[type, ...]] = (Visit,)
    kind: Annotated[Literal["person of interest"], Field(description="Kind of the rule.")]
    severity: Annotated[AlertSeverity, Field(description="How much its alerts matter.")] = (
        AlertSeverity.CRITICAL
    )
    persons: Annotated[
        tuple[str, ...],
        Field(
            description="Names on the list of persons of interest. Default: everybody on it.",
            json_schema_extra={"format": "interest"},
        ),
    ] = ()
    light: Annotated[
        Literal["any", "visible", "infrared"],
        Field(description="Only visits in this light."),
    ] = "any"
    probability: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Alert from this probability on that it is the person; at 0.5 up to every "
            "second alert may be somebody else.",
        ),
    ] = 0.5
    expected_share: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Share of visits that are expected to show a given person of interest, "
            "before looking: what their example pictures say is weighed against it.",
        ),
    ] = 0.02

    def make(self, site: Site) -> _List:
        self.watched(site)
        known = {wanted.name for wanted in site.wanted}
        unknown = sorted(set(self.persons) - known)
        if unknown:
            raise RuleUnusable(
                f"the rule {self.name!r} names the person of interest {unknown[0]!r}, who is not "
                f"on the list, or no more; there are: {', '.join(sorted(known)) or 'none'}"
            )
        wanted = [w for w in site.wanted if not self.persons or w.name in self.persons]
        _refuse_other_networks(self.name, wanted, site)
        return _List(self, wanted, site)

    def basis(self, site: Site) -> object:
        """See `RuleSettings`; the list of persons counts."""
        return site.cameras, site.wanted, site.model


def _refuse_other_networks(rule: str, wanted: Sequence[Wanted], site: Site) -> None:
    for each in wanted:
        if each.identity is None and each.means and each.model != site.model:
            raise RuleUnusable(
                f"the rule {rule!r} cannot compare the pictures of {each.name!r}: they were "
                f"described by {each.model}, and this watcher uses {site.model}; it "
                "describes them anew in idle moments; those that are lost must be added again"
            )


class _List:
    """Compares every visit with everybody on the list."""

    def __init__(self, settings: PersonOfInterest, wanted: Sequence[Wanted], site: Site) -> None:
        self._settings = settings
        self._wanted = wanted
        self._cameras = settings.watched(site)
        self._model = site.model
        self._calibration = site.calibration

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, Visit) or not is_open or event.camera not in self._cameras:
            return
        if self._settings.light != "any" and event.modality is not Modality(self._settings.light):
            return
        for wanted in self._wanted:
            if wanted.expires_at_us is not None and event.first_seen_us >= wanted.expires_at_us:
                continue
            found = self._by_identity(wanted, event) or self._by_looks(wanted, event)
            if found is not None:
                yield found

    def _by_identity(self, wanted: Wanted, visit: Visit) -> Finding | None:
        """The visit was linked to the person, or nearly so."""
        if wanted.identity is None or wanted.identity not in (visit.identity, visit.candidate):
            return None
        is_linked = visit.identity == wanted.identity
        if is_linked:
            probability = 1.0 if visit.probability is None else visit.probability
        else:
            probability = visit.probability or 0.0
            if visit.identity is not None or probability < self._settings.probability:
                return None
        grounds = {"by": "identity", "decision": visit.decision.value}
        return self._finding(wanted, visit, probability, grounds)

    def _by_looks(self, wanted: Wanted, visit: Visit) -> Finding | None:
        """The visit looks like the example pictures."""
        if self._calibration is None or wanted.model != self._model or visit.model != self._model:
            return None
        evidence = _compare(wanted, visit, self._calibration)
        if evidence is None:
            return None
        prior = self._settings.expected_share
        log_odds = evidence.log_ratio + math.log(prior / (1 - prior))
        probability = 1 / (1 + math.exp(-log_odds))
        if probability < self._settings.probability:
            return None
        grounds: dict[str, Ground] = {
            "by": "pictures",
            "similarity": round(evidence.similarity, 4),
            "pair": f"{evidence.pair[0].value}-{evidence.pair[1].value}",
            "likelihood_ratio": round(math.exp(evidence.log_ratio), 3),
            "trust": round(visit.trust, 3),
            "expected_share": prior,
        }
        return self._finding(wanted, visit, probability, grounds)

    def _finding(
        self,
        wanted: Wanted,
        visit: Visit,
        probability: float,
        grounds: Mapping[str, Ground],
    ) -> Finding:
        light = "by night (infrared)" if visit.modality is Modality.INFRARED else "by day"
        surely = (
            "the person of interest" if probability >= 0.9 else "probably the person of interest"
        )
        return Finding(
            rule=self._settings.name,
            episode=f"{wanted.number}/{visit.track}",
            track=visit.track,
            subject=f"interest {wanted.number}",
            cameras=(visit.camera,),
            began_us=visit.first_seen_us,
            at_us=visit.last_seen_us,
            ended_us=visit.last_seen_us,
            sentence=f"{surely} '{wanted.name}' ({probability:.0%}) at {visit.camera} {light}"
            f"{self._settings.when}",
            grounds={"interest": wanted.number, "probability": round(probability, 4), **grounds},
            identity=visit.identity,
            candidate=wanted.identity,
            probability=probability,
            sightings=(visit.sighting,),
            picture=visit.evidence[0] if visit.evidence else None,
        )


def _compare(wanted: Wanted, visit: Visit, calibration: Calibrated) -> Evidence | None:
    """What looks say; None where there is nothing to compare."""
    look = Look(
        camera=visit.camera,
        first_seen_us=visit.first_seen_us,
        last_seen_us=visit.last_seen_us,
        means=wanted.means,
    )
    means = means_around_centre(visit.means, calibration)
    return weigh(means, [look], calibration, trust=visit.trust)
