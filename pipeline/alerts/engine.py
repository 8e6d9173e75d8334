"""Events in, alerts out: every rule sees every event, in order, in its hours.

Two halves, so that pictures are judged where they are looked at and alerts are grouped where they
are written: `Watchmen` turn events into findings, `Visits` turn findings into alerts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.alerts.schedule import Calendar
from pipeline.alerts.settings import Rule, RuleSettings, Site, kind_of
from pipeline.alerts.types import Event, Finding, Visit
from pipeline.errors import RuleUnusable
from streams.types import Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that cannot be evaluated, or not be told as it says, and why."""

    rule: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Watchman:
    settings: RuleSettings
    basis: object
    rule: Rule


class Watchmen:
    """The rules that can be evaluated. Pure; used by one thread.

    Args:
        before: Rules that are the same as before keep what they have seen.

    Attributes:
        broken: Those that cannot.
    """

    def __init__(
        self,
        rules: Iterable[RuleSettings],
        site: Site,
        calendar: Calendar,
        *,
        before: Watchmen | None = None,
    ) -> None:
        self.broken: list[Broken] = []
        self._calendar = calendar
        self._watchmen: list[_Watchman] = []
        known = {} if before is None else {each.settings.name: each for each in before._watchmen}
        for settings in rules:
            old, basis = known.get(settings.name), settings.basis(site)
            if old is not None and old.settings == settings and old.basis == basis:
                self._watchmen.append(old)
                continue
            try:
                rule = settings.make(site)
            except RuleUnusable as error:
                self.broken.append(
                    Broken(rule=settings.name, kind=kind_of(settings), why=str(error))
                )
            else:
                self._watchmen.append(_Watchman(settings=settings, basis=basis, rule=rule))

    @property
    def rules(self) -> list[RuleSettings]:
        """Settings of those that can be evaluated, in order."""
        return [each.settings for each in self._watchmen]

    def see(self, event: Event) -> list[tuple[Finding, RuleSettings]]:
        """What the rules say of an event, in the order of rules."""
        at_us = time_of(event)
        found: list[tuple[Finding, RuleSettings]] = []
        for each in self._watchmen:
            if isinstance(event, each.settings.sees):
                is_open = each.settings.is_open(self._calendar, at_us)
                said = each.rule.see(event, is_open=is_open)
                found += [(finding, each.settings) for finding in said]
        return found


def time_of(event: Event) -> int:
    """When it happened; a visit when it began, a gap when the last picture came."""
    if isinstance(event, Gap):
        return event.from_us
    if isinstance(event, Visit):
        return event.first_seen_us
    return event.at_us
