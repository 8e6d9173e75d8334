"""Films one camera: pictures, and the truth of each.

The walks decide who stands how and where at any moment, so all cameras of a place see the same
poses. The same take gives the same truth, and on one machine the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from simulator.figures.body import BodyModel
from simulator.figures.people import Person, Posed, dress
from simulator.filming.encoder import encoder
from simulator.filming.exposure import Exposure, Watch
from simulator.filming.take import Take
from simulator.filming.truth import (
    Box,
    Matrix,
    TrueFrame,
    TruePerson,
    Truth,
    to_motchallenge,
    write_truth,
)
from simulator.optics.bands import Band
from simulator.optics.cameras import View
from simulator.optics.daynight import leaked
from simulator.optics.illumination import Picture
from simulator.optics.render import Renderer, Rendering
from simulator.optics.shutter import blurred
from simulator.world.meshes import Mesh
from simulator.world.sight import intrinsics, world_to_camera
from simulator.world.walks import Point, Walk, Way

_LEAST_PX = 40
_MATRIX_DIGITS = 9
_GROUND_DIGITS = 3
_BEYOND_VIEW = 0.6
"""Who is as far outside the picture as this share of its width is drawn: their shadows show."""
_TALL_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot:
    """One filmed frame and its truth."""

    picture: Picture
    truth: TrueFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """Everybody near a camera's view at one moment."""

    poses: Mapping[int, Posed]
    stands_m: Mapping[int, Point]


def film(take: Take, people: Mapping[int, Person], *, n_frames: int) -> Iterator[Shot]:
    """The first `n_frames` of a take.

    Args:
        people: By identity, everybody who walks in it.
    """
    size_px, mesh = take.camera.view.size_px, take.place.mesh
    with Projectors(size_px, mesh, people) as projectors:
        filming = _Filming(take, people, projectors)
        for k in range(n_frames):
            yield filming.shot(k)


class _Filming:
    """One take while it is filmed; ask for its shots in order."""

    def __init__(self, take: Take, people: Mapping[int, Person], projectors: Projectors) -> None:
        self._take = take
        self._view = take.camera.view
        self._stage = Stage(take.walks, people, self._view)
        self._outfits = {walk.identity: walk.outfit for walk in take.walks}
        self._watch = Watch(take)
        self._projectors = projectors
        self._rng = np.random.default_rng([take.seed, *take.video.encode()])

    def shot(self, frame: int) -> Shot:
        """The next frame."""
        moment = self._stage.at(frame / self._take.fps)
        exposure = self._watch.at(frame)
        rendering = self._draw(frame, moment, exposure)
        radiance = rendering.light
        if exposure.lamp is not None:
            infrared = self._projectors.of(Band.NEAR_INFRARED)
            lit = infrared.draw(moment.poses, self._view, exposure.lamp).light
            radiance = leaked(radiance, lit, exposure.look)
        radiance = self._watch.weathered(frame, radiance, exposure, self._rng)
        picture = self._watch.sensor(radiance, exposure).expose(radiance, self._rng)
        return Shot(picture=picture, truth=self._truth(frame, moment, exposure, rendering))

    def _draw(self, frame: int, moment: Moment, exposure: Exposure) -> Rendering:
        """What falls on the sensor, averaged while the shutter is open."""
        renderer = self._projectors.of(exposure.band)

        def draw(share: float) -> Rendering:
            later_s = share * exposure.shutter_s
            then = self._stage.at(frame / self._take.fps + later_s) if share else moment
            return renderer.draw(then.poses, self._view, exposure.light)

        return blurred(draw, self._take.settings.motion_blur)

    def _truth(
        self, frame: int, moment: Moment, exposure: Exposure, rendering: Rendering
    ) -> TrueFrame:
        alone_px = self._projectors.of(exposure.band).count_alone_px(moment.poses, self._view)
        found = true_people(rendering, moment.poses, alone_px, self._view)
        starts_at_us = round(self._take.period.starts_at.timestamp() * 1_000_000)
        return TrueFrame(
            frame=frame,
            captured_at_us=starts_at_us + round(frame * 1_000_000 / self._take.fps),
            modality=exposure.band.modality,
            people=tuple(
                replace(
                    person,
                    outfit=self._outfits[person.identity],
                    ground_m=moment.stands_m[person.identity],
                )
                for person in found
            ),
        )


class Stage:
    """Where everybody is and how they stand, for one camera."""

    def __init__(self, walks: Sequence[Walk], people: Mapping[int, Person], view: View) -> None:
        self._walks = [(walk, Way(walk.waypoints), people[walk.identity]) for walk in walks]
        self._view = view

    def at(self, time_s: float) -> Moment:
        """Everybody who walks at that time and is not far out of view."""
        poses: dict[int, Posed] = {}
        stands_m: dict[int, Point] = {}
        for walk, way, person in self._walks:
            pace_mps = walk.pace_mps or person.speed_mps
            stance = way.at((time_s - walk.starts_at_s) * pace_mps)
            if stance is None or not _is_near(stance.xy_m, self._view):
                continue
            cycles = walk.phase + stance.walked_m / person.cycle.stride_m
            poses[walk.identity] = person.pose(cycles, stance.xy_m, stance.heading_rad)
            x, y = stance.xy_m
            stands_m[walk.identity] = (round(x, _GROUND_DIGITS), round(y, _GROUND_DIGITS))
        return Moment(poses=poses, stands_m=stands_m)


class Projectors:
    """A renderer for each band that a camera sees in, made when it is first needed."""

    def __init__(self, size_px: tuple[int, int], mesh: Mesh, people: Mapping[int, Person]) -> None:
        self._size_px = size_px
        self._mesh = mesh
        self._people = people
        self._renderers: dict[Band, Renderer] = {}

    def of(self, band: Band) -> Renderer:
        """The band's renderer; it knows everybody."""
        if band not in self._renderers:
            renderer = Renderer(size_px=self._size_px, band=band, place=self._mesh)
            self._renderers[band] = renderer
            for identity in sorted(self._people):
                renderer.add(self._people[identity])
        return self._renderers[band]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for renderer in self._renderers.values():
            renderer.close()


def film_take(take: Take, model: BodyModel, out: Path, report: Callable[[int], None]) -> None:
    """Write a take's video and then its truth into the folder `out`.

    Args:
        report: Told how many frames are done, after each.

    Raises:
        ToolMissing, FilmingFailed: See `encoder`.
    """
    video, truth_file, lines = take.files(out)
    truth_file.unlink(missing_ok=True)
    people = {identity: dress(model, identity, looks) for identity, looks in take.looks.items()}
    frames: list[TrueFrame] = []
    with encoder(
        video,
        size_px=take.camera.view.size_px,
        fps=take.fps,
        modality=Watch(take).at(take.n_frames - 1).band.modality,
        bitrate_kbps=take.settings.bitrate_kbps,
    ) as writer:
        for shot in film(take, people, n_frames=take.n_frames):
            writer.write(shot.picture)
            frames.append(shot.truth)
            report(len(frames))
    truth = truth_of(take, frames)
    lines.write_text(to_motchallenge(truth), encoding="utf-8")
    write_truth(truth, truth_file)


def truth_of(take: Take, frames: Sequence[TrueFrame]) -> Truth:
    """The truth of a take of which at least one frame is filmed."""
    view = take.camera.view
    return Truth(
        scenario=take.scenario,
        seed=take.seed,
        recipe=take.recipe,
        period=take.period.hour.value,
        place=take.place.name,
        camera=take.camera.name,
        kind=take.camera.kind.value,
        fps=take.fps,
        size_px=view.size_px,
        starts_at_us=frames[0].captured_at_us,
        intrinsics=_matrix(intrinsics(view)),
        world_to_camera=_matrix(world_to_camera(view)),
        frames=tuple(frames),
    )


def true_people(
    rendering: Rendering, poses: Mapping[int, Posed], alone_px: Mapping[int, int], view: View
) -> tuple[TruePerson, ...]:
    """Who shows in a rendering, by rising identity; specks of a few pixels do not count.

    Args:
        alone_px: Pixels each would cover alone.
    """
    found = []
    for identity, posed in sorted(poses.items()):
        rows, columns = np.nonzero(rendering.identities == identity)
        if len(rows) < _LEAST_PX:
            continue
        box = (
            int(columns.min()),
            int(rows.min()),
            int(columns.max()) + 1,
            int(rows.max()) + 1,
        )
        found.append(
            TruePerson(
                identity=identity,
                box_px=box,
                full_box_px=_full_box(posed, view, box),
                visibility=round(min(len(rows) / max(alone_px[identity], 1), 1.0), 3),
            )
        )
    return tuple(found)


def _is_near(xy_m: Point, view: View) -> bool:
    feet_and_head = np.array([[*xy_m, 0.0], [*xy_m, _TALL_M]])
    across = view.project(feet_and_head)[:, 0] / view.size_px[0]
    return bool(((across > -_BEYOND_VIEW) & (across < 1 + _BEYOND_VIEW)).any())


def _full_box(posed: Posed, view: View, seen: Box) -> Box:
    """The body's box cut at the frame; where part of it is behind the lens, what shows of it."""
    points = view.project(posed.vertices)
    if np.isnan(points).any():
        return seen
    width, height = view.size_px
    x0, y0 = np.floor(np.clip(points.min(axis=0), 0, [width, height])).astype(int)
    x1, y1 = np.ceil(np.clip(points.max(axis=0), 0, [width, height])).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _matrix(values: np.typing.NDArray[np.float64]) -> Matrix:
    return tuple(tuple(round(float(value), _MATRIX_DIGITS) for value in row) for row in values)
