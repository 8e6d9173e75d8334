"""Pictures become scenes, scenes findings: the rules that watch zones, lines and crowds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.alerts.engine import Watchmen
from pipeline.alerts.schedule import Calendar
from pipeline.alerts.settings import RuleSettings
from pipeline.alerts.types import Box, CameraSign, Finding, InView, Scene
from pipeline.run.rulebook import Book
from pipeline.tracking.tracklets import OpenTrack
from pipeline.types import TrackKey
from streams.types import CameraId, Frame, Gap

SCENE_EVERY_US = 100_000
"""Of one camera; nobody crosses a zone in less."""
PICTURE_WIDTH = 960
"""Pixels, of the picture of an alert, at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """A finding on its way.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, the picture in which it was found, small; None if in none.
    """

    finding: Finding
    rule: RuleSettings
    pixels: npt.NDArray[np.uint8] | None


class Pictures:
    """Owns the rules over scenes. Used by the thread that looks at pictures."""

    def __init__(self, book: Book, calendar: Calendar) -> None:
        self._calendar = calendar
        self._watchmen = Watchmen((), book.site, calendar)
        self._book: Book | None = None
        self._seen_us: dict[CameraId, int] = {}
        self.watches_cameras = False
        self.follow(book)

    def follow(self, book: Book) -> None:
        """From now on these rules hold; those that stay the same remember what they saw."""
        if book is self._book:
            return
        self._book = book
        mine = [rule for rule in book.rules if Scene in rule.sees]
        self._watchmen = Watchmen(mine, book.site, self._calendar, before=self._watchmen)
        self.watches_cameras = any(CameraSign in rule.sees for rule in book.rules)

    def is_due(self, frame: Frame) -> bool:
        """Whether any rule wants to see this frame."""
        if not self._watchmen.rules:
            return False
        before_us = self._seen_us.get(frame.camera)
        return before_us is None or not 0 <= frame.captured_at_us - before_us < SCENE_EVERY_US

    def see(self, frame: Frame, tracks: Sequence[OpenTrack]) -> list[Found]:
        """What the rules say of the people in a frame."""
        self._seen_us[frame.camera] = frame.captured_at_us
        scene = scene_of(frame, tracks)
        found = self._watchmen.see(scene)
        if not found:
            return []
        boxes = {person.track: person.box for person in scene.people}
        pixels = small(frame.pixels)
        return [
            Found(finding=_with_box(finding, boxes), rule=rule, pixels=pixels)
            for finding, rule in found
        ]

    def gap(self, gap: Gap) -> list[Found]:
        """What the rules say of the loss of a camera."""
        found = self._watchmen.see(gap)
        return [Found(finding=finding, rule=rule, pixels=None) for finding, rule in found]


def scene_of(frame: Frame, tracks: Sequence[OpenTrack]) -> Scene:
    """The people of a frame, in fractions of it."""
    height, width = frame.pixels.shape[:2]
    return Scene(
        camera=frame.camera,
        at_us=frame.captured_at_us,
        people=tuple(
            InView(
                track=track.track,
                box=(
                    track.box[0] / width,
                    track.box[1] / height,
                    track.box[2] / width,
                    track.box[3] / height,
                ),
            )
            for track in tracks
        ),
    )


def small(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8, at most `PICTURE_WIDTH` wide; a copy."""
    height, width = pixels.shape[:2]
    if width <= PICTURE_WIDTH:
        return pixels.copy()
    size = (PICTURE_WIDTH, max(1, round(height * PICTURE_WIDTH / width)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _with_box(finding: Finding, boxes: Mapping[TrackKey, Box]) -> Finding:
    """The finding with where in the picture its person is."""
    box = None if finding.track is None else boxes.get(finding.track)
    if box is None:
        return finding
    corners = " ".join(f"{min(1.0, max(0.0, at)):.4f}" for at in box)
    return replace(finding, grounds={**finding.grounds, "box": corners})
