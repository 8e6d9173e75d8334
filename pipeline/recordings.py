"""What was recorded, for whoever plays it: segments of live cameras, and files that were watched.

The front desk and the command line ask here; nothing but `export_clip` writes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from pipeline.config import SiteConfig
from pipeline.errors import UsageInvalid
from storage.database import Database
from storage.desk.segments import LONGEST_US, StoredSegment, segments
from storage.errors import NotFound
from storage.types import Span
from streams.config import CameraConfig
from streams.disk import sha256_of
from streams.imaging import cut
from streams.recording.clip import Cut, Piece, cut_clip
from streams.recording.picture import Still, image_at, still_at
from streams.recording.played import PlayedFile, files_of
from streams.types import CameraId

JOIN_US = 300_000
"""Recordings this close are one: a picture's time is known to about that."""
LONGEST_CLIP_US = 24 * 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSpan:
    """An unbroken stretch of recordings of one camera, microseconds UTC."""

    camera: CameraId
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where in which file a moment is.

    Attributes:
        path: To be played by any player that knows its codec; a folder if `codec` is "images".
        from_us: When the file's first picture was taken.
        to_us: When its last one ends.
        offset_s: Of the moment from the first picture.
        codec: As FFmpeg names it.
        is_segment: One of many short files; the next begins where it ends.
        region: The part of the picture that is this camera; None: all of it.
        is_region_known: Not of a segment whose camera is configured no more; then the file may
            show what another camera sees, too.
    """

    camera: CameraId
    path: Path
    from_us: int
    to_us: int
    offset_s: float
    codec: str
    is_segment: bool
    region: tuple[float, float, float, float] | None
    is_region_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSource:
    """A file that a clip was cut from.

    Attributes:
        sha256: Of the file as it is now.
        is_unchanged: Whether that is what was recorded; None where nothing is known of it.
    """

    path: str
    from_us: int
    to_us: int
    sha256: str
    is_unchanged: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip as it was cut.

    Attributes:
        cut: What it really holds.
        gaps: Within it, spans without recordings, microseconds UTC.
    """

    camera: CameraId
    path: Path
    cut: Cut
    gaps: tuple[tuple[int, int], ...]
    sources: tuple[ClipSource, ...]


class Recordings:
    """What a site has recorded. Threads may share it."""

    def __init__(self, site: SiteConfig, database: Database) -> None:
        self._folder = site.recordings_folder.absolute()
        self._database = database
        self._cameras = {CameraId(camera.name): camera for camera in site.cameras}

    def knows(self, camera: CameraId) -> bool:
        """Whether the camera is configured, or files were watched as it."""
        return camera in self._cameras or bool(self._files(camera))

    def spans(
        self, camera: CameraId, *, from_us: int | None = None, to_us: int | None = None
    ) -> list[RecordedSpan]:
        """When there are recordings of a camera, oldest first, cut at the ends asked for."""
        found: list[RecordedSpan] = []
        for start, end in self._pairs(camera, Span(from_us=from_us, to_us=to_us)):
            start = start if from_us is None else max(start, from_us)
            end = end if to_us is None else min(end, to_us)
            if found and start - found[-1].to_us <= JOIN_US:
                found[-1] = replace(found[-1], to_us=max(found[-1].to_us, end))
            else:
                found.append(RecordedSpan(camera=camera, from_us=start, to_us=end))
        return found

    def open_moment(self, camera: CameraId, at_us: int) -> Moment:
        """The file that shows a moment of a camera.

        Raises:
            NotFound: Nothing was recorded then; says when the nearest recordings are.
        """
        for file in self._files(camera):
            if file.from_us <= at_us < file.to_us:
                return _moment_of_file(file, at_us)
        for stored in reversed(self._segments(camera, Span(from_us=at_us, to_us=at_us + 1))):
            place = self._place(stored)
            if place.exists():
                return self._moment_of_segment(stored, place, at_us)
        raise NotFound(self._nothing_at(camera, at_us))

    def moments(self, camera: CameraId, *, from_us: int, to_us: int) -> list[Moment]:
        """The beginnings of all files that overlap a stretch of time; [] if there are none."""
        found = [
            _moment_of_file(each, each.from_us)
            for each in self._files(camera)
            if each.from_us < to_us and each.to_us > from_us
        ]
        for stored, place in self.stored(camera, from_us=from_us, to_us=to_us):
            found.append(self._moment_of_segment(stored, place, stored.segment.from_us))
        return found

    def frame_at(self, moment: Moment, at_us: int) -> Still:
        """The picture that a camera showed, (H, W, 3) uint8 RGB, its region only.

        Args:
            moment: As `open_moment` found it for `at_us`.

        Raises:
            SourceUnreadable: It cannot be decoded.
        """
        if moment.codec == "images":
            still = image_at(self._folder_camera(moment), moment.path, at_us)
        else:
            still = still_at(Piece(path=moment.path, from_us=moment.from_us), at_us)
        if moment.region is None:
            return still
        return replace(still, pixels=cut(still.pixels, moment.region))

    def stored(
        self, camera: CameraId, *, from_us: int, to_us: int
    ) -> list[tuple[StoredSegment, Path]]:
        """Segments that overlap a span and whose files are there, oldest first."""
        found = self._segments(camera, Span(from_us=from_us, to_us=to_us))
        places = [(each, self._place(each)) for each in found]
        return [(each, place) for each, place in places if place.exists()]

    def export_clip(self, camera: CameraId, from_us: int, to_us: int, out: Path) -> Clip:
        """Cut a stretch of recordings into one MP4 file, without encoding anything anew.

        Raises:
            NotFound: Nothing was recorded then.
            UsageInvalid: The stretch is empty or too long, or the camera is a folder of images.
            SourceUnreadable: A file is damaged, or of another format than the one before it.
            OSError: `out` cannot be written.
        """
        if not 0 < to_us - from_us <= LONGEST_CLIP_US:
            raise UsageInvalid("a clip ends after it begins, and is at most a day long")
        sources = self._sources(camera, from_us, to_us)
        pieces = [Piece(path=Path(each.path), from_us=each.from_us) for each in sources]
        if any(piece.path.is_dir() for piece in pieces):
            raise UsageInvalid(f"camera {camera} is a folder of images; take the images instead")
        done = cut_clip(pieces, from_us=from_us, to_us=to_us, out=out)
        spans = self.spans(camera, from_us=done.from_us, to_us=done.to_us)
        gaps = tuple((before.to_us, after.from_us) for before, after in pairwise(spans))
        return Clip(camera=camera, path=out, cut=done, gaps=gaps, sources=tuple(sources))

    def _sources(self, camera: CameraId, from_us: int, to_us: int) -> list[ClipSource]:
        files = [each for each in self._files(camera) if each.from_us < to_us]
        found = [
            ClipSource(
                path=each.path,
                from_us=each.from_us,
                to_us=each.to_us,
                sha256=sha256_of(Path(each.path)) if each.is_video else "",
                is_unchanged=None,
            )
            for each in files
            if each.to_us > from_us
        ]
        for stored, place in self.stored(camera, from_us=from_us, to_us=to_us):
            sha256 = sha256_of(place)
            found.append(
                ClipSource(
                    path=str(place),
                    from_us=stored.segment.from_us,
                    to_us=stored.segment.to_us,
                    sha256=sha256,
                    is_unchanged=sha256 == stored.segment.sha256,
                )
            )
        if not found:
            raise NotFound(self._nothing_at(camera, from_us))
        once = {(each.from_us, each.sha256 or each.path): each for each in found}
        return sorted(once.values(), key=lambda each: each.from_us)

    def _pairs(self, camera: CameraId, span: Span) -> list[tuple[int, int]]:
        """Beginning and end of every file that overlaps a span, by beginning."""
        files = [(each.from_us, each.to_us) for each in self._files(camera)]
        stored = [
            (each.segment.from_us, each.segment.to_us) for each in self._segments(camera, span)
        ]
        return sorted(
            (start, end)
            for start, end in files + stored
            if (span.to_us is None or start < span.to_us)
            and (span.from_us is None or end > span.from_us)
        )

    def _segments(self, camera: CameraId, span: Span) -> list[StoredSegment]:
        return segments(self._database, camera=camera, span=span)

    def _files(self, camera: CameraId) -> list[PlayedFile]:
        return files_of(self._folder, camera, configured=self._cameras.get(camera))

    def _place(self, stored: StoredSegment) -> Path:
        """Of a segment's file, which lies below the folder of recordings whatever its row says.

        Raises:
            NotFound: It would lie elsewhere.
        """
        place = (self._folder / stored.segment.path).resolve()
        if not place.is_relative_to(self._folder.resolve()):
            raise NotFound(f"recording {stored.id} lies outside of the folder of recordings")
        return place

    def _moment_of_segment(self, stored: StoredSegment, place: Path, at_us: int) -> Moment:
        """Segments hold whole pictures; which part is the camera, only its configuration says."""
        segment = stored.segment
        configured = self._cameras.get(segment.camera)
        return Moment(
            camera=segment.camera,
            path=place,
            from_us=segment.from_us,
            to_us=segment.to_us,
            offset_s=max(0.0, (at_us - segment.from_us) / 1e6),
            codec=segment.codec,
            is_segment=True,
            region=None if configured is None else configured.region,
            is_region_known=configured is not None,
        )

    def _folder_camera(self, moment: Moment) -> CameraConfig:
        """A camera whose images begin when those of the moment's folder did."""
        files = self._files(moment.camera)
        played = next(each for each in files if each.path == str(moment.path))
        return played.as_camera()

    def _nothing_at(self, camera: CameraId, at_us: int) -> str:
        near = self.spans(camera, from_us=at_us - LONGEST_US, to_us=at_us + LONGEST_US)
        if not near:
            return f"nothing of camera {camera} was recorded within an hour of that moment"
        gap_us = min(
            abs(each.from_us - at_us) if each.from_us > at_us else abs(at_us - each.to_us)
            for each in near
        )
        return (
            f"camera {camera} was not recorded then; the nearest recording is "
            f"{gap_us / 1e6:.0f} s away"
        )


def unchanged(sources: Sequence[ClipSource]) -> bool:
    """Whether no file that a clip was cut from is another than was recorded."""
    return all(each.is_unchanged is not False for each in sources)


def _moment_of_file(file: PlayedFile, at_us: int) -> Moment:
    return Moment(
        camera=file.camera,
        path=Path(file.path),
        from_us=file.from_us,
        to_us=file.to_us,
        offset_s=(at_us - file.from_us) / 1e6,
        codec=file.codec,
        is_segment=False,
        region=file.region,
        is_region_known=True,
    )
