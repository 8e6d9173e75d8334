"""Arithmetic of `benchmarks.desk_load`: what was timed becomes figures. Pure."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SAMPLE_US = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """A batch of frames that the watcher was done with.

    Attributes:
        done_us: When, microseconds UTC.
        n_still: Frames of it that were not searched, for nothing moved.
        taken_us: When the frame of each camera was taken.
    """

    done_us: int
    n_still: int
    taken_us: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of time with the operators, or without them.

    Attributes:
        cpu_s: CPU seconds by part: watcher, capture, desk, rtsp, client, machine.
    """

    with_operators: bool
    from_us: int
    to_us: int
    cpu_s: Mapping[str, float]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all values do not exceed (nearest rank).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 50), percentile([7.0], 99)
    (2.0, 7.0)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def spread(seconds: Sequence[float]) -> dict[str, float | int]:
    """How many, and p50, p95, p99 and the longest in milliseconds; without values only `n`."""
    if not seconds:
        return {"n": 0}
    ranks = {f"p{rank}_ms": round(1e3 * percentile(seconds, rank), 1) for rank in (50, 95, 99)}
    return {"n": len(seconds), **ranks, "max_ms": round(1e3 * max(seconds), 1)}


def ages_s(analysed: Sequence[Analysed], *, from_us: int, to_us: int) -> list[float]:
    """Age of each camera's newest analysed frame, asked ten times a second.

    Args:
        analysed: Oldest first, from before `from_us` on; a camera counts from its first frame on.
    """
    found: list[float] = []
    for camera in sorted({name for batch in analysed for name in batch.taken_us}):
        mine = [batch for batch in analysed if camera in batch.taken_us]
        done_us = [batch.done_us for batch in mine]
        for at_us in range(from_us, to_us, SAMPLE_US):
            place = bisect_right(done_us, at_us)
            if place:
                found.append((at_us - mine[place - 1].taken_us[camera]) / 1e6)
    return found


def phase_figures(phase: Phase, analysed: Sequence[Analysed]) -> dict[str, float]:
    """What the watcher did in a phase."""
    within = [batch for batch in analysed if phase.from_us <= batch.done_us < phase.to_us]
    n_frames = sum(len(batch.taken_us) for batch in within)
    n_searched = n_frames - sum(batch.n_still for batch in within)
    ages = ages_s(analysed, from_us=phase.from_us, to_us=phase.to_us)
    lasts_s = (phase.to_us - phase.from_us) / 1e6
    ours_s = sum(phase.cpu_s[part] for part in phase.cpu_s if part != "machine")
    watching_s = phase.cpu_s["watcher"] + phase.cpu_s["capture"]
    return {
        "seconds": round(lasts_s, 1),
        "frames_per_s": round(n_frames / lasts_s, 3),
        "searched_per_s": round(n_searched / lasts_s, 3),
        "age_p50_s": round(percentile(ages, 50), 3) if ages else math.nan,
        "age_p95_s": round(percentile(ages, 95), 3) if ages else math.nan,
        "frames_per_cpu_s": _ratio(n_frames, watching_s),
        "frames_per_thinking_cpu_s": _ratio(n_frames, phase.cpu_s["watcher"]),
        **{f"{part}_cores": round(spent / lasts_s, 3) for part, spent in phase.cpu_s.items()},
        "others_cores": round((phase.cpu_s["machine"] - ours_s) / lasts_s, 3),
    }


def compare(phases: Sequence[tuple[bool, Mapping[str, float]]]) -> dict[str, object]:
    """Medians without and with the operators, and the change from each phase to the next.

    Args:
        phases: Whether operators were there, and the figures; without, with, without, with, ...

    Raises:
        ValueError: They do not take turns.
    """
    without, with_them = phases[::2], phases[1::2]
    took_turns = not any(there for there, _ in without) and all(there for there, _ in with_them)
    if not phases or len(without) != len(with_them) or not took_turns:
        raise ValueError("phases: expected without, with, without, with; measure again")
    found: dict[str, object] = {}
    for name in phases[0][1]:
        off = [figures[name] for _, figures in without]
        on = [figures[name] for _, figures in with_them]
        found[name] = {
            "without": round(statistics.median(off), 3),
            "with": round(statistics.median(on), 3),
            "change_percent": _change(statistics.median(off), statistics.median(on)),
            "change_of_each_pair": [_change(a, b) for a, b in zip(off, on, strict=True)],
        }
    return found


def _change(before: float, after: float) -> float | None:
    return round(100 * (after / before - 1), 1) if before else None


def _ratio(n: int, seconds: float) -> float:
    return round(n / seconds, 2) if seconds else math.nan
