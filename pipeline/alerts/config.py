"""Settings of alerting: `alerts:` in config.yaml."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline.alerts.channels_config import ChannelConfig, DeliveryConfig, refuse_same_names
from pipeline.alerts.kinds import AnyRule
from pipeline.alerts.schedule import ZoneName
from streams.config import Section


class AlertsConfig(Section):
    """What operators are warned of, when, how often and where."""

    time_zone: Annotated[
        ZoneName,
        Field(description="Time zone of the site's hours, such as Europe/Berlin."),
    ] = "UTC"
    holidays: Annotated[
        tuple[date, ...],
        Field(description="Days that count as `holidays`, not as their weekday: [2026-12-25]."),
    ] = ()
    rules: Annotated[
        tuple[AnyRule, ...],
        Field(
            description="What raises alerts, such as {name: dock at night, kind: nobody allowed, "
            "zone: loading dock, outside: '07:00-19:00'}; `noctule alerts kinds` lists the kinds "
            "and their settings. More can be made in the pages."
        ),
    ] = ()
    group_s: Annotated[
        float,
        Field(
            ge=0,
            description="What one person does again within so many seconds, on whatever camera, "
            "is the same visit: one alert per rule.",
        ),
    ] = 300.0
    cooldown_s: Annotated[
        float,
        Field(
            ge=0,
            description="So many seconds after somebody raised an alert, the same rule extends it "
            "instead of raising another one, as long as nobody knows that it is another person. "
            "About as long as people take between cameras; 0: every view counts.",
        ),
    ] = 120.0
    escalate_after_s: Annotated[
        float,
        Field(
            ge=0,
            description="Seconds after which an alert that nobody acknowledged is told once more, "
            "as an escalation; 0: never.",
        ),
    ] = 900.0
    tell_recorded: Annotated[
        bool,
        Field(
            description="Whether alerts of recorded cameras are sent to channels, too; they are "
            "always in the inbox."
        ),
    ] = False
    heartbeat_s: Annotated[
        float,
        Field(
            ge=0,
            description="Seconds between messages that prove that a channel delivers; 0: none.",
        ),
    ] = 0.0
    channels: Annotated[
        tuple[ChannelConfig, ...],
        Field(description="Where alerts are sent to; see docs/alerts.md."),
    ] = ()
    delivery: Annotated[DeliveryConfig, Field(description="How patiently they are sent.")] = (
        DeliveryConfig()
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        refuse_same_names(self.channels)
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rules: the name {twice[0]!r} is used twice; names must differ")
        return self
