"""One video to be filmed: whose camera, at which hour, of whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from simulator.figures.company import Character
from simulator.figures.people import Looks
from simulator.filming.plan import Casting, Plan
from simulator.filming.scenario import Hour, Period
from simulator.filming.truth import SUFFIX
from simulator.world.places import SIZE_PX, Camera, CameraKind, Place
from simulator.world.walks import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How everything is filmed.

    Attributes:
        fps: None is the scenario's.
        bitrate_kbps: H.264 at a constant rate; None is a good quality.
        with_thermal: Also film with the thermal cameras.
        is_raining: Rain and an overcast sky, outdoors.
        with_headlights: Cars come by at dusk and at night, outdoors.
        motion_blur: Exposures that are averaged into one picture; 1 is none.
    """

    size_px: tuple[int, int] = SIZE_PX
    fps: int | None = None
    bitrate_kbps: int | None = None
    with_thermal: bool = False
    is_raining: bool = False
    with_headlights: bool = False
    motion_blur: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One video.

    Attributes:
        video: Name of its files.
        recipe: Fingerprint of everything that decides about the folder's videos.
        camera: With the picture's size set.
        looks: By identity, of everybody who walks.
        lasts_s: Of the period; the video has `n_frames`.
    """

    video: str
    scenario: str
    seed: int
    recipe: str
    period: Period
    place: Place
    camera: Camera
    walks: tuple[Walk, ...]
    looks: Mapping[int, Looks]
    lasts_s: float
    fps: int
    settings: Settings

    @property
    def n_frames(self) -> int:
        """Pictures of the video; at least one."""
        return max(round(self.lasts_s * self.fps), 1)

    def files(self, out: Path) -> tuple[Path, Path, Path]:
        """The video, its truth and its MOTChallenge file."""
        names = (f"{self.video}.mp4", f"{self.video}{SUFFIX}", f"{self.video}.gt.txt")
        video, truth, lines = (out / name for name in names)
        return video, truth, lines

    def is_filmed(self, out: Path) -> bool:
        """Whether the folder holds this very video, finished."""
        video, truth, lines = self.files(out)
        if not (video.is_file() and truth.is_file() and lines.is_file()):
            return False
        with truth.open(encoding="utf-8") as file:
            head = file.readline()
        return f'"recipe": "{self.recipe}"' in head


def takes(
    plan: Plan,
    settings: Settings,
    *,
    casting: Casting,
    hours: Sequence[Hour] | None = None,
    cameras: Sequence[str] | None = None,
) -> tuple[Take, ...]:
    """Every video of a plan.

    Args:
        hours, cameras: Only these; None is all. Cameras by name or by the name of their video.
    """
    scenario = plan.scenario
    found = []
    for period in scenario.periods:
        if hours is not None and period.hour not in hours:
            continue
        for name in period.places:
            place = scenario.place(name)
            walks = plan.walks[period.hour, name]
            for camera in _cameras(place, settings):
                video = scenario.video(camera, place, period)
                if cameras is not None and not {video, camera.name} & set(cameras):
                    continue
                found.append(
                    Take(
                        video=video,
                        scenario=scenario.name,
                        seed=plan.seed,
                        recipe=_recipe(plan, settings, casting),
                        period=period,
                        place=place,
                        camera=camera,
                        walks=walks,
                        looks=_looks(walks, plan.people),
                        lasts_s=plan.lasts_s,
                        fps=settings.fps or scenario.fps,
                        settings=settings,
                    )
                )
    return tuple(found)


def _cameras(place: Place, settings: Settings) -> list[Camera]:
    return [
        replace(camera, view=replace(camera.view, size_px=settings.size_px))
        for camera in place.cameras
        if settings.with_thermal or camera.kind is not CameraKind.THERMAL
    ]


def _looks(walks: Sequence[Walk], people: Mapping[int, Character]) -> dict[int, Looks]:
    """Whoever changes clothes does so between two periods, so that a video shows one outfit."""
    found = {}
    for walk in sorted(walks, key=lambda walk: walk.identity):
        character = people[walk.identity]
        changed = character.looks_by_night if walk.outfit else None
        found[walk.identity] = changed or character.looks
    return found


def _recipe(plan: Plan, settings: Settings, casting: Casting) -> str:
    decides = {
        "scenario": plan.scenario.name,
        "seed": plan.seed,
        "people": len(plan.people),
        "minutes": plan.minutes,
        "casting": asdict(casting),
        "settings": asdict(settings),
    }
    text = json.dumps(decides, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
