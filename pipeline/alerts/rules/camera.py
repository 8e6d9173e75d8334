"""A camera that is down, covered, or worse than usual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.alerts.lasting import Lasting, Turn
from pipeline.alerts.settings import US, RuleSettings, Site
from pipeline.alerts.types import CameraSign, Event, Finding, Ground
from storage.desk.types import AlertSeverity
from streams.types import CameraId, Modality

_USUAL_OVER_S = 600.0
"""Time in which what is usual follows what is."""
_LEARNED_AFTER_S = 60.0

AfterS = Annotated[
    float, Field(ge=0, le=86_400, description="Seconds for which it must last before it is told.")
]


class CameraDown(RuleSettings):
    """No picture comes from a camera."""

    sees: ClassVar[tuple[type, ...]] = (CameraSign,)
    kind: Annotated[Literal["camera down"], Field(description="Kind of the rule.")]
    severity: Annotated[AlertSeverity, Field(description="How much its alerts matter.")] = (
        AlertSeverity.CRITICAL
    )
    after_s: AfterS = 30.0

    def make(self, site: Site) -> _Down:
        return _Down(self, site)


class CameraCovered(RuleSettings):
    """A camera shows one even area: covered, painted over, or no light at all."""

    sees: ClassVar[tuple[type, ...]] = (CameraSign,)
    kind: Annotated[Literal["camera covered"], Field(description="Kind of the rule.")]
    severity: Annotated[AlertSeverity, Field(description="How much its alerts matter.")] = (
        AlertSeverity.CRITICAL
    )
    after_s: AfterS = 10.0
    max_contrast: Annotated[
        float,
        Field(
            gt=0,
            le=128,
            description="Standard deviation of grey levels, 0-128, up to which a picture is even.",
        ),
    ] = 6.0

    def make(self, site: Site) -> _Covered:
        return _Covered(self, site)


class CameraDegraded(RuleSettings):
    """A camera delivers fewer pictures, or less sharp ones, than is usual for it in this light."""

    sees: ClassVar[tuple[type, ...]] = (CameraSign,)
    kind: Annotated[Literal["camera degraded"], Field(description="Kind of the rule.")]
    after_s: AfterS = 60.0
    min_fps_share: Annotated[
        float,
        Field(ge=0, le=1, description="Share of the usual pictures per second that must come."),
    ] = 0.5
    min_detail_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Share of the usual detail that pictures must have: a blurred, fogged or "
            "turned away lens loses it.",
        ),
    ] = 0.4

    def make(self, site: Site) -> _Degraded:
        return _Degraded(self, site)


def _finding(
    settings: RuleSettings,
    sign: CameraSign,
    *,
    since_us: int,
    turn: Turn,
    sentence: str,
    grounds: dict[str, Ground],
) -> Finding:
    return Finding(
        rule=settings.name,
        episode=f"{sign.camera}@{since_us}",
        subject=f"camera {sign.camera}",
        cameras=(sign.camera,),
        began_us=since_us,
        at_us=sign.at_us,
        ended_us=sign.at_us if turn is Turn.ENDED else None,
        sentence=f"{sentence}{settings.when}",
        grounds=grounds,
    )


class _Down:
    def __init__(self, settings: CameraDown, site: Site) -> None:
        self._settings = settings
        self._cameras = settings.watched(site)
        self._lasting = Lasting(int(settings.after_s * US))

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, CameraSign) or event.camera not in self._cameras:
            return
        since_us = self._lasting.since_us(event.camera)
        is_down = not event.is_seen and (is_open or since_us is not None)
        turn = self._lasting.see(event.camera, event.at_us, holds=is_down, since_us=event.since_us)
        if turn is None:
            return
        since_us = since_us if since_us is not None else event.since_us or event.at_us
        grounds: dict[str, Ground] = {"blind_s": round((event.at_us - since_us) / US, 1)}
        if event.error is not None:
            grounds["error"] = event.error
        why = f": {event.error}" if event.error else ""
        yield _finding(
            self._settings,
            event,
            since_us=since_us,
            turn=turn,
            sentence=f"nobody sees what happens at {event.camera}{why}",
            grounds=grounds,
        )


class _Covered:
    def __init__(self, settings: CameraCovered, site: Site) -> None:
        self._settings = settings
        self._cameras = settings.watched(site)
        self._lasting = Lasting(int(settings.after_s * US))

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, CameraSign) or event.camera not in self._cameras:
            return
        if event.contrast is None:
            return
        since_us = self._lasting.since_us(event.camera)
        is_even = event.contrast <= self._settings.max_contrast
        turn = self._lasting.see(
            event.camera, event.at_us, holds=is_even and (is_open or since_us is not None)
        )
        if turn is not None:
            yield _finding(
                self._settings,
                event,
                since_us=since_us if since_us is not None else event.at_us,
                turn=turn,
                sentence=f"the picture of {event.camera} shows nothing: covered, or no light",
                grounds={
                    "contrast": round(event.contrast, 2),
                    "max_contrast": self._settings.max_contrast,
                },
            )


class _Usual:
    """What is usual of a number: follows it slowly, and not while it is unusual."""

    def __init__(self) -> None:
        self.value: float | None = None
        self._learned_s = 0.0
        self._at_us: int | None = None

    def share(self, value: float) -> float | None:
        """`value` as a share of what is usual; None until that is known."""
        if not self.value or self._learned_s < _LEARNED_AFTER_S:
            return None
        return value / self.value

    def learn(self, value: float, at_us: int) -> None:
        """Take in a value; looks far apart count as one second."""
        elapsed_s = 1.0 if self._at_us is None else min((at_us - self._at_us) / US, 5.0)
        self._at_us = at_us
        self._learned_s += elapsed_s
        over_s = min(self._learned_s, _USUAL_OVER_S)
        weight = min(elapsed_s / max(over_s, 1.0), 1.0)
        self.value = value if self.value is None else self.value + weight * (value - self.value)


class _Degraded:
    def __init__(self, settings: CameraDegraded, site: Site) -> None:
        self._settings = settings
        self._cameras = settings.watched(site)
        self._lasting = Lasting(int(settings.after_s * US))
        self._fps: dict[CameraId, _Usual] = {}
        self._detail: dict[tuple[CameraId, Modality], _Usual] = {}

    def see(self, event: Event, *, is_open: bool) -> Iterator[Finding]:
        """See `Rule`."""
        if not isinstance(event, CameraSign) or event.camera not in self._cameras:
            return
        shares = self._shares(event) if event.is_seen else {}
        fps, detail = shares.get("fps_share"), shares.get("detail_share")
        is_slow = fps is not None and fps < self._settings.min_fps_share
        is_blurred = detail is not None and detail < self._settings.min_detail_share
        since_us = self._lasting.since_us(event.camera)
        holds = (is_slow or is_blurred) and (is_open or since_us is not None)
        turn = self._lasting.see(event.camera, event.at_us, holds=holds)
        if turn is not None:
            what = "fewer pictures" if is_slow or not is_blurred else "less sharp pictures"
            yield _finding(
                self._settings,
                event,
                since_us=since_us if since_us is not None else event.at_us,
                turn=turn,
                sentence=f"{event.camera} delivers {what} than usual",
                grounds={name: round(share, 3) for name, share in shares.items()},
            )

    def _shares(self, sign: CameraSign) -> dict[str, float]:
        """What comes as a share of what is usual; teaches what is usual while it is."""
        found: dict[str, float] = {}
        if sign.fps is not None:
            usual = self._fps.setdefault(sign.camera, _Usual())
            share = usual.share(sign.fps)
            if share is not None:
                found["fps_share"] = share
            if share is None or share >= self._settings.min_fps_share:
                usual.learn(sign.fps, sign.at_us)
        if sign.detail is not None:
            usual = self._detail.setdefault((sign.camera, sign.modality), _Usual())
            share = usual.share(sign.detail)
            if share is not None:
                found["detail_share"] = share
            if share is None or share >= self._settings.min_detail_share:
                usual.learn(sign.detail, sign.at_us)
        return found
