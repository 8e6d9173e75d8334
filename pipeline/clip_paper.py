"""An exported clip and the paper that goes with it: what it shows, from what it was cut, hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from pipeline.recordings import Clip, Recordings
from storage.audit import audited
from storage.database import Database
from streams.clock import Clock
from streams.disk import sha256_of
from streams.moments import to_utc
from streams.types import CameraId

KIND = "noctule clip"
SEAL = "seal_sha256"


def export(
    recordings: Recordings,
    database: Database,
    camera: CameraId,
    span: tuple[int, int],
    out: Path,
    *,
    made_by: str,
    reason: str,
    clock: Clock,
) -> dict[str, object]:
    """Write a clip and its paper beside it, and the audit; what the paper says.

    A failure leaves neither file.

    Args:
        span: From and to, microseconds UTC.

    Raises:
        NoctuleError: As `Recordings.export_clip`, or it could not be written into the audit.
        OSError: `out` cannot be written.
    """
    try:
        values = _paper(
            recordings.export_clip(camera, *span, out),
            asked=span,
            made_by=made_by,
            made_at_us=clock.now_us(),
        )
        paper_of(out).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        detail = {"from_us": span[0], "to_us": span[1], SEAL: values[SEAL], "reason": reason}
        audited(
            database,
            who=made_by,
            action="clip",
            subject=camera,
            detail=detail,
            now_us=clock.now_us(),
        )
    except BaseException:
        for file in (out, paper_of(out)):
            file.unlink(missing_ok=True)
        raise
    return values


def _paper(
    clip: Clip, *, asked: tuple[int, int], made_by: str, made_at_us: int
) -> dict[str, object]:
    """What is to be said of a clip; its seal is the sha256 of all the rest.

    The seal tells accidental changes. Whoever changes a clip on purpose can seal it anew: compare
    with the audit, which holds the seal since the export.
    """
    values: dict[str, object] = {
        "kind": KIND,
        "version": 1,
        "camera": clip.camera,
        "file": clip.path.name,
        "bytes": clip.path.stat().st_size,
        "sha256": sha256_of(clip.path),
        "codec": clip.cut.codec,
        "pictures": clip.cut.n_pictures,
        "asked": _span(*asked),
        "shows": _span(clip.cut.from_us, clip.cut.to_us),
        "gaps": [_span(start, end) for start, end in clip.gaps],
        "sources": [
            {
                "file": Path(source.path).name,
                "sha256": source.sha256,
                "is_unchanged": source.is_unchanged,
                **_span(source.from_us, source.to_us),
            }
            for source in clip.sources
        ],
        "made_by": made_by,
        "made_at_us": made_at_us,
        "program": f"noctule {version('noctule')}",
    }
    return values | {SEAL: seal(values)}


def paper_of(clip: Path) -> Path:
    """Where the paper of a clip lies.

    >>> paper_of(Path("gate.mp4")).name
    'gate.mp4.json'
    """
    return clip.with_name(f"{clip.name}.json")


def seal(values: Mapping[str, object]) -> str:
    """sha256, hex, over the paper without its seal, as JSON with sorted keys and no blanks.

    >>> seal({"a": 1}) == seal({"a": 1, "seal_sha256": "whatever"})
    True
    """
    rest = {key: value for key, value in values.items() if key != SEAL}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def mistakes(clip: Path) -> list[str]:
    """What is wrong with a clip and its paper; empty if both are as they were made.

    Raises:
        OSError: One of them cannot be read.
        ValueError: The paper is none.
    """
    values = json.loads(paper_of(clip).read_text(encoding="utf-8"))
    if not isinstance(values, dict) or values.get("kind") != KIND:
        raise ValueError("not the paper of a clip")
    found = []
    if values.get(SEAL) != seal(values):
        found.append("the paper was changed after it was sealed")
    if values.get("sha256") != sha256_of(clip):
        found.append("the clip is not the file that the paper describes")
    return found


def _span(from_us: int, to_us: int) -> dict[str, object]:
    return {
        "from_us": from_us,
        "to_us": to_us,
        "from": to_utc(from_us).isoformat(timespec="milliseconds"),
        "to": to_utc(to_us).isoformat(timespec="milliseconds"),
    }
