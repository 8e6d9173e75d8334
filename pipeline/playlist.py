"""HLS over recorded segments (RFC 8216), for players that scrub along a stretch of recordings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from pipeline.recordings import JOIN_US, Recordings
from storage.errors import NotFound
from streams.errors import SourceUnreadable
from streams.moments import to_utc
from streams.recording.fragments import Fragments, read_fragments
from streams.types import CameraId


class Addresses(Protocol):
    """Under which a player gets what a playlist names."""

    def head(self, from_us: int) -> str:
        """Of what precedes the fragments of the segment that begins then."""

    def part(self, from_us: int, *, later_ticks: int) -> str:
        """Of its fragments, moved by so many ticks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A segment of the playlist."""

    from_us: int
    to_us: int
    fragments: Fragments

    @property
    def length_s(self) -> float:
        """Of its media; the clock on the wall may have gone a little faster or slower."""
        return (self.fragments.to_ticks - self.fragments.from_ticks) / self.fragments.ticks_per_s


def playlist(
    recordings: Recordings, camera: CameraId, *, from_us: int, to_us: int, addresses: Addresses
) -> str:
    """An m3u8 of whole segments that overlap a stretch of time.

    Media time goes on from segment to segment, so that players show every picture;
    EXT-X-PROGRAM-DATE-TIME says when each was taken. Where nothing was recorded a comment says so,
    and the next segment follows at once. EXT-X-DISCONTINUITY stands only where the format changes:
    VLC plays nothing after it.

    Raises:
        NotFound: No segments of that time are there. Recorded files are played as they are.
    """
    parts = _parts(recordings, camera, from_us, to_us)
    if not parts:
        raise NotFound(
            f"no segments of camera {camera} are there for that time; a file that is watched as a "
            "camera has no playlist: play it as it is, recordings/moment says where"
        )
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(max(part.length_s for part in parts))}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    before: _Part | None = None
    played_s = 0.0
    for part in parts:
        lines += _entry(part, before, played_s, addresses)
        played_s += part.length_s
        before = part
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _parts(recordings: Recordings, camera: CameraId, from_us: int, to_us: int) -> list[_Part]:
    found: list[_Part] = []
    for stored, place in recordings.stored(camera, from_us=from_us, to_us=to_us):
        try:
            fragments = read_fragments(place)
        except SourceUnreadable:
            continue  # it is a gap, and told as one
        segment = stored.segment
        found.append(_Part(from_us=segment.from_us, to_us=segment.to_us, fragments=fragments))
    return found


def _entry(part: _Part, before: _Part | None, played_s: float, addresses: Addresses) -> list[str]:
    lines: list[str] = []
    gap_us = 0 if before is None else part.from_us - before.to_us
    is_other = before is not None and before.fragments.head != part.fragments.head
    if gap_us > JOIN_US:
        lines.append(f"# nothing was recorded for {gap_us / 1e6:.1f} s")
    if is_other:
        lines.append("#EXT-X-DISCONTINUITY")
    if before is None or is_other:
        lines.append(f'#EXT-X-MAP:URI="{addresses.head(part.from_us)}"')
    taken = to_utc(part.from_us).isoformat(timespec="milliseconds")
    later = round(played_s * part.fragments.ticks_per_s) - part.fragments.from_ticks
    return [
        *lines,
        f"#EXT-X-PROGRAM-DATE-TIME:{taken}",
        f"#EXTINF:{part.length_s:.5f},",
        addresses.part(part.from_us, later_ticks=later),
    ]
