"""Someone unknown: a visit by nobody who was seen before, usually after hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.alerts.settings import RuleSettings, Site
from pipeline.alerts.types import Event, Finding, Visit
from storage.types import Decision


class UnknownPerson(RuleSettings):
    """Somebody is seen who is nobody known; meant for hours in which only known people come."""

    sees: ClassVar[tuple[type, ...]] = (Visit,)
    kind: Annotated[Literal["unknown person"], Field(description="Kind of the rule.")]
    known: Annotated[
        Literal["seen", "named"],
        Field(
            description="Who is known: whoever was recognised (seen), or only those to whom an "
            "operator gave a name (named)."
        ),
    ] = "seen"
    also_unsure: Annotated[
        bool,
        Field(description="Also tell of visits of which nobody can say who it was."),
    ] = False

    def make(self, site: Site) -> _Strangers:
        return _Strangers(self, site)


class _Strangers:
    """Judges every visit by itself."""

    def __init__(self, settings: UnknownPerson, site: Site) -> None:
        self._settings = settings
        self._cameras = settings.watched(site)

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, Visit) or not is_open or event.camera not in self._cameras:
            return
        why = self._why(event)
        if why is not None:
            yield self._finding(event, why)

    def _why(self, visit: Visit) -> str | None:
        """In which way the visit's person is unknown; None if they are not."""
        if visit.identity is None:
            if not (self._settings.also_unsure and visit.is_last):
                return None
            return "somebody whom nobody could recognise"
        if visit.decision is Decision.NEW:
            return "somebody who was never seen before"
        if self._settings.known == "named" and not visit.is_named:
            return "somebody to whom nobody gave a name"
        return None

    def _finding(self, visit: Visit, why: str) -> Finding:
        grounds: dict[str, float | int | str] = {"decision": visit.decision.value}
        if visit.probability is not None:
            grounds["known_probability"] = round(visit.probability, 4)
        return Finding(
            rule=self._settings.name,
            episode=visit.track,
            track=visit.track,
            cameras=(visit.camera,),
            began_us=visit.first_seen_us,
            at_us=visit.last_seen_us,
            ended_us=visit.last_seen_us,
            sentence=f"{why} was at {visit.camera}{self._settings.when}",
            grounds=grounds,
            identity=visit.identity,
            candidate=visit.candidate,
            probability=visit.probability,
            sightings=(visit.sighting,),
            picture=visit.evidence[0] if visit.evidence else None,
        )
