"""HLS over recorded segments (RFC 8216), for players that scrub along a stretch of recordings."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.recordings import JOIN_US, Recordings
from storage.desk.segments import StoredSegment
from storage.errors import NotFound
from streams.recording.boxes import head_bytes
from streams.types import CameraId


def playlist(
    recordings: Recordings,
    camera: CameraId,
    *,
    from_us: int,
    to_us: int,
    address: Callable[[StoredSegment], str],
) -> str:
    """An m3u8 of whole segments that overlap a stretch of time.

    Every segment brings its own head, and each is its own timeline: EXT-X-PROGRAM-DATE-TIME says
    when it was taken. Where nothing was recorded, a comment says so, and the player goes on.

    Args:
        address: Under which the player gets a segment's file, with byte ranges.

    Raises:
        NotFound: No segments of that time are there. Recorded files are played as they are.
    """
    found = recordings.stored(camera, from_us=from_us, to_us=to_us)
    if not found:
        raise NotFound(
            f"no segments of camera {camera} are there for that time; a recorded file is played "
            "as one, without a playlist"
        )
    longest_s = max((s.segment.to_us - s.segment.from_us) / 1e6 for s, _ in found)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest_s)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    end_us: int | None = None
    for stored, place in found:
        head, size = head_bytes(place), stored.segment.n_bytes
        if head == 0:
            continue
        segment, link = stored.segment, address(stored)
        if end_us is not None:
            lines.append("#EXT-X-DISCONTINUITY")
            if segment.from_us - end_us > JOIN_US:
                lines.append(f"# nothing was recorded for {(segment.from_us - end_us) / 1e6:.1f} s")
        taken = datetime.fromtimestamp(segment.from_us / 1e6, UTC)
        lines += [
            f'#EXT-X-MAP:URI="{link}",BYTERANGE="{head}@0"',
            f"#EXT-X-PROGRAM-DATE-TIME:{taken.isoformat(timespec='milliseconds')}",
            f"#EXTINF:{(segment.to_us - segment.from_us) / 1e6:.3f},",
            f"#EXT-X-BYTERANGE:{size - head}@{head}",
            link,
        ]
        end_us = segment.to_us
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])
