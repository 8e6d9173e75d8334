"""The machine itself: a disk that fills, thinking that cannot keep up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.alerts.lasting import Lasting, Turn
from pipeline.alerts.settings import US, RuleSettings, Site
from pipeline.alerts.types import DiskSign, Event, Finding, LagSign
from pipeline.linking.topology import words
from storage.desk.types import AlertSeverity

_GB = 1_000_000_000


class DiskLow(RuleSettings):
    """A disk that something is kept on is nearly full."""

    sees: ClassVar[tuple[type, ...]] = (DiskSign,)
    kind: Annotated[Literal["disk low"], Field(description="Kind of the rule.")]
    severity: Annotated[AlertSeverity, Field(description="How much its alerts matter.")] = (
        AlertSeverity.CRITICAL
    )
    least_free_gb: Annotated[
        float, Field(gt=0, description="Gigabytes (10^9 bytes) that must stay free.")
    ] = 5.0

    def make(self, site: Site) -> _Disk:
        self.watched(site)
        return _Disk(self)


class AnalyticsBehind(RuleSettings):
    """Pictures are looked at too late, or visits wait to be recorded."""

    sees: ClassVar[tuple[type, ...]] = (LagSign,)
    kind: Annotated[Literal["analytics behind"], Field(description="Kind of the rule.")]
    max_lag_s: Annotated[
        float, Field(gt=0, description="Age of the newest picture that was looked at, seconds.")
    ] = 10.0
    max_waiting: Annotated[
        int, Field(ge=1, description="Visits that may wait to be recorded, a count.")
    ] = 50
    after_s: Annotated[
        float, Field(ge=0, description="Seconds for which it must last before it is told.")
    ] = 15.0

    def make(self, site: Site) -> _Behind:
        self.watched(site)
        return _Behind(self)


class _Disk:
    def __init__(self, settings: DiskLow) -> None:
        self._settings = settings
        self._lasting = Lasting(0)

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`; low ends only a tenth above, so that it does not flicker."""
        if not isinstance(event, DiskSign):
            return
        since_us = self._lasting.since_us(event.place)
        least = self._settings.least_free_gb * _GB * (1.0 if since_us is None else 1.1)
        is_low = event.free_bytes < least and (is_open or since_us is not None)
        turn = self._lasting.see(event.place, event.at_us, holds=is_low)
        if turn is None:
            return
        began_us = event.at_us if since_us is None else since_us
        yield Finding(
            rule=self._settings.name,
            episode=f"{event.place}@{began_us}",
            subject=f"disk {event.place}",
            cameras=(),
            began_us=began_us,
            at_us=event.at_us,
            ended_us=event.at_us if turn is Turn.ENDED else None,
            sentence=f"less than {self._settings.least_free_gb:g} GB are free for {event.place}"
            f"{self._settings.when}",
            grounds={
                "free_gb": round(event.free_bytes / _GB, 3),
                "total_gb": round(event.total_bytes / _GB, 3),
                "least_free_gb": self._settings.least_free_gb,
            },
        )


class _Behind:
    def __init__(self, settings: AnalyticsBehind) -> None:
        self._settings = settings
        self._lasting = Lasting(int(settings.after_s * US))

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, LagSign):
            return
        since_us = self._lasting.since_us("")
        is_late = event.lag_s > self._settings.max_lag_s
        is_behind = is_late or event.n_waiting > self._settings.max_waiting
        turn = self._lasting.see(
            "", event.at_us, holds=is_behind and (is_open or since_us is not None)
        )
        if turn is None:
            return
        began_us = event.at_us if since_us is None else since_us
        what = f"the newest picture that was looked at is {words(event.lag_s)} old"
        if not is_late:
            what = f"{event.n_waiting} visits wait to be recorded"
        yield Finding(
            rule=self._settings.name,
            episode=f"@{began_us}",
            subject="analytics",
            cameras=(),
            began_us=began_us,
            at_us=event.at_us,
            ended_us=event.at_us if turn is Turn.ENDED else None,
            sentence=f"{what}{self._settings.when}",
            grounds={
                "lag_s": round(event.lag_s, 2),
                "n_waiting": event.n_waiting,
                "max_lag_s": self._settings.max_lag_s,
                "max_waiting": self._settings.max_waiting,
            },
        )
