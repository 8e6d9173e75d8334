"""The front desk under load: operators at work while a watcher watches live cameras.

    python -m benchmarks.desk_load --out benchmarks/results/desk_load.json
    python -m benchmarks.desk_load --cameras 2 --operators 5 --phase-s 20 --out quick.json

Real processes: an RTSP server with the demo's footage, `noctule run`, `noctule serve`, and this
one, which is the operators. Phases take turns, without and with operators; while they are away
nobody looks at live pictures either. Reported: how long pages and routes take, errors, streams
kept; and what the operators cost the analytics: frames analysed per second, age of the newest
analysed frame, CPU of each part. All share the cores of one machine, so a part that is slower may
only have been given less time: frames per CPU second of the watcher tells these apart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.desk_figures import Phase, compare, phase_figures, spread
from benchmarks.desk_operators import Asked, Connection, Habits, Tally, find_asked, work
from benchmarks.desk_site import Running, cpu_of, read_stopwatch, start
from benchmarks.record import record
from pipeline.live import WANTED

SETTLE_S = 6.0
WARM_UP_S = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--operators", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=1, help="live streams of each operator")
    parser.add_argument(
        "--think-s", type=float, default=5.0, help="between an operator's questions"
    )
    parser.add_argument("--phase-s", type=float, default=45.0)
    parser.add_argument("--pairs", type=int, default=2, help="of phases, without and with")
    parser.add_argument("--desk-nice", type=int, default=0, help="desk and operators yield so much")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with TemporaryDirectory() as folder, ExitStack() as stack:
        result = asyncio.run(measure(given, Path(folder), stack))
    record(given.out, result)
    print(json.dumps(result, indent=2))


async def measure(given: argparse.Namespace, folder: Path, stack: ExitStack) -> dict[str, object]:
    """Start everything, take turns, stop everything."""
    running = await start(
        folder,
        stack,
        n_cameras=given.cameras,
        n_operators=given.operators,
        desk_nice=given.desk_nice,
    )
    asked = await warm_up(running)
    habits = Habits(asked=asked, think_s=given.think_s, n_pictures=given.pictures)
    phases, tallies = [], []
    for _ in range(given.pairs):
        phases.append(await run_phase(running, habits, given.phase_s, None))
        tallies.append(Tally())
        phases.append(await run_phase(running, habits, given.phase_s, tallies[-1]))
    analysed = read_stopwatch(running.stopwatch)
    told = [(phase.with_operators, phase_figures(phase, analysed)) for phase in phases]
    return {
        "cameras": given.cameras,
        "operators": given.operators,
        "streams_of_each": {"events": 1, "pictures": given.pictures},
        "think_s": given.think_s,
        "desk_nice": given.desk_nice,
        "load_average_at_the_end": os.getloadavg(),
        "known": {"people": len(asked.people), "crops": len(asked.crops)},
        "answers": answers(tallies, given.phase_s),
        "streams": streams(tallies, given),
        "analytics": compare(told),
        "phases": [{"with_operators": there, **figures} for there, figures in told],
    }


async def warm_up(running: Running) -> Asked:
    """Until all cameras are analysed and there is somebody to ask for."""
    connection = Connection(running.port, running.cookies[0])
    end_s = time.monotonic() + WARM_UP_S
    while time.monotonic() < end_s:
        await asyncio.sleep(2.0)
        asked = await find_asked(connection, running.cameras)
        seen = {camera for each in read_stopwatch(running.stopwatch) for camera in each.taken_us}
        if seen >= set(running.cameras) and asked.people and asked.crops:
            connection.close()
            return asked
    log = (running.folder / "watcher.log").read_text(encoding="utf-8")
    raise SystemExit(f"after {WARM_UP_S:.0f} s nobody was seen: {log[-2000:]}")


async def run_phase(running: Running, habits: Habits, lasts_s: float, tally: Tally | None) -> Phase:
    """Let it settle, then measure; errors and lost streams count from the first moment on.

    Args:
        tally: What operators see; None: they are away.
    """
    (running.folder / "site" / "live" / WANTED).unlink(missing_ok=True)
    at_work = [
        asyncio.create_task(work(number, running.port, cookie, habits, tally))
        for number, cookie in enumerate(running.cookies)
        if tally is not None
    ]
    await asyncio.sleep(SETTLE_S)
    if tally is not None:
        tally.begin()
    from_us, before = time.time_ns() // 1000, cpu_of(running.parts)
    await asyncio.sleep(lasts_s)
    to_us, after = time.time_ns() // 1000, cpu_of(running.parts)
    for task in at_work:
        task.cancel()
    failed = [
        error
        for error in await asyncio.gather(*at_work, return_exceptions=True)
        if not isinstance(error, asyncio.CancelledError)
    ]
    if failed:
        raise SystemExit(f"an operator gave up: {failed[0]!r}")
    return Phase(
        with_operators=tally is not None,
        from_us=from_us,
        to_us=to_us,
        cpu_s={part: after[part] - before[part] for part in after},
    )


def answers(tallies: Sequence[Tally], phase_s: float) -> dict[str, object]:
    """How long each kind of question took, all phases together."""
    kinds = sorted({kind for tally in tallies for kind in tally.seconds})
    together = {kind: [s for tally in tallies for s in tally.seconds[kind]] for kind in kinds}
    everything = [seconds for kind in kinds for seconds in together[kind]]
    return {
        "per_s": round(len(everything) / (phase_s * len(tallies)), 1),
        "errors": _summed([tally.errors for tally in tallies]),
        "all": spread(everything),
        **{kind: spread(together[kind]) for kind in kinds},
    }


def streams(tallies: Sequence[Tally], given: argparse.Namespace) -> dict[str, object]:
    """Streams that were wanted and lost, and what came through them, by kind."""
    wanted = {"events": given.operators, "pictures": given.operators * given.pictures}
    found: dict[str, object] = {}
    for kind, n_wanted in wanted.items():
        n_pieces = sum(tally.n_pieces[kind] for tally in tallies)
        seconds = given.phase_s * len(tallies)
        found[kind] = {
            "held_at_once": n_wanted,
            "lost": sum(tally.n_lost[kind] for tally in tallies),
            "per_s_and_stream": round(n_pieces / seconds / max(1, n_wanted), 2),
            "longest_silence_s": round(max(t.longest_silence_s[kind] for t in tallies), 2),
        }
    return found


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {key: sum(each.get(key, 0) for each in counts) for each in counts for key in each}


if __name__ == "__main__":
    main()
