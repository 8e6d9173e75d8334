"""The paper that goes with an exported clip: what it shows, from what it was cut, and hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pipeline.recordings import Clip
from streams.recording.salvage import sha256_of

KIND = "noctule clip"
SEAL = "seal_sha256"


def paper(
    clip: Clip, *, asked_from_us: int, asked_to_us: int, made_by: str, made_at_us: int, program: str
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
        "asked": _span(asked_from_us, asked_to_us),
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
        "program": program,
    }
    return values | {SEAL: seal(values)}


def write_paper(values: Mapping[str, object], beside: Path) -> Path:
    """Write it beside the clip; where.

    Raises:
        OSError: It cannot be written.
    """
    place = paper_of(beside)
    place.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    return place


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
        "from": datetime.fromtimestamp(from_us / 1e6, UTC).isoformat(timespec="milliseconds"),
        "to": datetime.fromtimestamp(to_us / 1e6, UTC).isoformat(timespec="milliseconds"),
    }
