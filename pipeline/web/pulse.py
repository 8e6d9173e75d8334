"""What the top line says: do the cameras see, is there an alert. One question for all of it."""

from __future__ import annotations

from typing import Literal

from pipeline.api.answers import Answer
from pipeline.api.desk import Desk
from pipeline.api.routes.cameras import HealthAnswer, to_health
from pipeline.api.visitors import Visitor
from storage.desk.alerts import n_new
from streams.types import CameraId


class Camera(Answer):
    """How one camera does."""

    camera: str
    state: Literal["live", "blind", "unknown"]
    word: str | None
    blind_since_us: int | None
    captured_at_us: int | None


class Pulse(Answer):
    """How the site does.

    Attributes:
        state: quiet: recordings were watched to their end, or there is no camera.
        words: Without a time; pages write `since_us` behind it in the site's time zone.
    """

    state: Literal["good", "bad", "quiet"]
    words: str
    since_us: int | None
    n_new: int
    cameras: list[Camera]
    now_us: int


def pulse(desk: Desk, visitor: Visitor) -> Pulse:
    """How the cameras do that they may see, and how many alerts nobody has dealt with."""
    now_us = desk.clock.now_us()
    configured = desk.configured(visitor)
    found = {name: to_health(desk.live.state(name), now_us=now_us) for name in configured}
    is_live = any(camera.is_live for camera in configured.values())
    state, words, since_us = _health(found, is_live=is_live)
    return Pulse(
        state=state,
        words=words,
        since_us=since_us,
        n_new=n_new(desk.database, cameras=visitor.cameras),
        cameras=[_to_camera(name, health) for name, health in found.items()],
        now_us=now_us,
    )


def _health(
    found: dict[CameraId, HealthAnswer], *, is_live: bool
) -> tuple[Literal["good", "bad", "quiet"], str, int | None]:
    blind = [(health.blind_since_us, n) for n, health in found.items() if health.state == "blind"]
    unknown = [name for name, health in found.items() if health.state == "unknown"]
    n = len(found)
    if not found:
        return "quiet", "no camera yet", None
    if blind:
        since_us, name = min(blind, key=lambda each: each[0] or 0)
        others = f" and {len(blind) - 1} more" if len(blind) > 1 else ""
        return "bad", f"{name}{others} blind{' since' if since_us else ''}", since_us
    if len(unknown) == n and not is_live:
        return "quiet", "recordings; nobody watches now", None
    if len(unknown) == n:
        return "bad", "the watcher is silent", None
    if unknown:
        return "bad", f"nothing heard of {unknown[0]}", None
    return "good", f"all {n} cameras see" if n > 1 else "the camera sees", None


def _to_camera(name: CameraId, health: HealthAnswer) -> Camera:
    return Camera(
        camera=name,
        state=health.state,
        word=health.word,
        blind_since_us=health.blind_since_us,
        captured_at_us=health.captured_at_us,
    )
