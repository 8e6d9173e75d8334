"""How the system itself does: cameras, room, messages, users, who asked what."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fastapi import Request, Response

from pipeline.api.answers import Answer
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.live import LiveState
from pipeline.api.routes.cameras import HealthAnswer, to_health
from pipeline.api.routing import Routes
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.web.queues import Queues, behind_s, queues
from pipeline.web.rendering import PagesOf
from storage.desk.types import Role
from storage.due import Expired, due
from storage.gaps import browse_gaps
from storage.stats import stats
from storage.types import Span
from streams.types import CameraId, Gap

routes = Routes("pages", prefix="")
DAY_US = 86_400_000_000
_MOST_GAPS = 500
_KEPT = (
    ("Pictures of people", "pictures_days"),
    ("Vectors of looks", "vectors_days"),
    ("Who was seen where", "sightings_days"),
    ("When nobody looked", "gaps_days"),
    ("Alerts", "alerts_days"),
    ("Messages sent", "deliveries_days"),
    ("Ended sessions", "sessions_days"),
    ("Persons of interest, once over", "interests_days"),
    ("Runs of the watcher", "runs_days"),
    ("Who asked what", "audit_days"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRow:
    """One camera of the table.

    Attributes:
        behind_s: How old the newest picture is that was looked at.
        counts: What the watcher counts, by name; () of a recording.
        blind: Parts of the last day in which nobody looked: from and length, of 1000.
        n_gaps: How many these are.
    """

    camera: CameraId
    is_live: bool
    health: HealthAnswer
    behind_s: float | None
    counts: dict[str, int | None]
    last_error: str | None
    recording: str | None
    blind: tuple[tuple[float, float], ...]
    n_gaps: int


class Room(Answer):
    """How much is kept, how much room is left, and what goes next.

    Attributes:
        going: What retention deletes at its next turn, by noun.
    """

    free_bytes: int
    disk_bytes: int
    reserve_bytes: int
    database_bytes: int
    evidence_bytes: int | None
    n_evidence_files: int | None
    n_sightings: int
    n_unsure: int
    n_identities: int
    oldest_us: int | None
    newest_us: int | None
    going: dict[str, int]


@routes.get("/system", least=Role.VIEWER, include_in_schema=False)
def show_system(request: Request, visitor: VisitorOf, desk: DeskOf, pages: PagesOf) -> Response:
    """What everybody may know; the rest is asked for by administrators' pages."""
    config = desk.config
    return pages.show(
        request,
        "system.html",
        title="System",
        rows=_rows(desk, visitor),
        kept=[(words, getattr(config.retention, name)) for words, name in _KEPT],
        pictures_mb=config.retention.pictures_mb,
        detector=config.detector.weights,
        embedder=config.embedder.weights,
        all_cameras=list(desk.cameras(visitor)),
    )


@routes.get("/system/queues", least=Role.VIEWER, needs_all=True, include_in_schema=False)
def show_queues(visitor: VisitorOf, desk: DeskOf) -> Queues:
    """How much waits now."""
    return queues(desk, visitor)


@routes.get("/system/room", least=Role.ADMIN, needs_all=True, include_in_schema=False)
def show_room(desk: DeskOf) -> Room:
    """Counts everything: asked for after the page is there."""
    disk = shutil.disk_usage(_existing(desk.config.storage.evidence))
    counted = stats(desk.database, desk.evidence)
    next_us = desk.clock.now_us()
    return Room(
        free_bytes=disk.free,
        disk_bytes=disk.total,
        reserve_bytes=desk.config.storage.reserve_mb * 1_000_000,
        database_bytes=counted.database_bytes,
        evidence_bytes=counted.evidence_bytes,
        n_evidence_files=counted.n_evidence_files,
        n_sightings=counted.n_sightings,
        n_unsure=counted.n_unsure,
        n_identities=counted.n_identities,
        oldest_us=counted.oldest_us,
        newest_us=counted.newest_us,
        going=_going(due(desk.database, desk.evidence, desk.config.retention, now_us=next_us)),
    )


def _rows(desk: Desk, visitor: Visitor) -> list[CameraRow]:
    now_us = desk.clock.now_us()
    found = []
    for name, camera in desk.configured(visitor).items():
        state = desk.live.state(name)
        gaps = [
            gap
            for _, gap in browse_gaps(
                desk.database,
                scope=visitor.cameras,
                camera=name,
                span=Span(from_us=now_us - DAY_US, to_us=now_us),
                limit=_MOST_GAPS,
            )
        ]
        found.append(
            CameraRow(
                camera=name,
                is_live=camera.is_live,
                health=to_health(state, now_us=now_us),
                behind_s=behind_s(state) if camera.is_live else None,
                counts=_counts(state),
                last_error=_text(state, "recording_error") or _text(state, "last_error"),
                recording=_text(state, "recording"),
                blind=spans_of_day(gaps, now_us=now_us),
                n_gaps=len(gaps),
            )
        )
    return found


def spans_of_day(gaps: Sequence[Gap], *, now_us: int) -> tuple[tuple[float, float], ...]:
    """Where in the last 24 hours these were: beginning and length, of 1000; at least 2 wide.

    >>> from streams.types import GapReason
    >>> hour = DAY_US // 24
    >>> gap = Gap(camera=CameraId("a"), from_us=-hour, to_us=6 * hour, reason=GapReason.STALLED)
    >>> spans_of_day([gap], now_us=DAY_US)
    ((0.0, 250.0),)
    """
    begin_us = now_us - DAY_US
    found = []
    for gap in gaps:
        start = max(0, gap.from_us - begin_us) / DAY_US * 1000
        end = min(DAY_US, (now_us if gap.to_us is None else gap.to_us) - begin_us) / DAY_US * 1000
        found.append((round(start, 1), round(max(2.0, end - start), 1)))
    return tuple(found)


def _going(expired: Expired) -> dict[str, int]:
    """Without what there is none of."""
    return {
        name.removeprefix("n_"): n
        for name, n in asdict(expired).items()
        if n and name not in ("n_bytes", "n_orphans")
    }


def _counts(state: LiveState | None) -> dict[str, int | None]:
    names = ("n_frames", "n_dropped", "n_reconnects")
    found = {name: None if state is None else state.values.get(name) for name in names}
    return {name: n if isinstance(n, int) else None for name, n in found.items()}


def _text(state: LiveState | None, name: str) -> str | None:
    found = None if state is None else state.values.get(name)
    return found if isinstance(found, str) else None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above that is there."""
    return folder if folder.exists() or folder.parent == folder else _existing(folder.parent)
