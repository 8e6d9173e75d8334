"""The site of `benchmarks.desk_load`: cameras, watcher and front desk as real processes."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.desk_figures import Analysed
from benchmarks.desk_operators import sign_in
from pipeline.api.passwords import Passwords
from simulator.rtsp import RtspServer
from storage.database import open_database
from storage.desk.accounts import create_account
from storage.desk.types import Role

PROJECT = Path(__file__).parents[1]
FILMS = ("gate", "plaza", "dock", "corridor")
PASSWORD = "operators at their desks 7"
_STOPS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Everything that was started.

    Attributes:
        parts: Process of each part.
        cookies: Session of each operator.
    """

    folder: Path
    cameras: Sequence[str]
    port: int
    parts: Mapping[str, int]
    cookies: Sequence[str]

    @property
    def stopwatch(self) -> Path:
        """What the watcher's stopwatch writes."""
        return self.folder / "stopwatch.jsonl"


async def start(
    folder: Path, stack: ExitStack, *, n_cameras: int, n_operators: int, desk_nice: int
) -> Running:
    """Cameras, watcher, desk, sessions; ended with the stack.

    Args:
        desk_nice: By so much the desk yields, and this process, which is the operators.
    """
    cameras = [f"camera-{number}" for number in range(1, n_cameras + 1)]
    films = {
        name: PROJECT / "simulator" / "footage" / "demo" / f"{FILMS[number % len(FILMS)]}.mp4"
        for number, name in enumerate(cameras)
    }
    rtsp = stack.enter_context(RtspServer(films, protocols=("tcp",)))
    config = folder / "config.yaml"
    config.write_text(site_words({name: rtsp.url(name) for name in cameras}), encoding="utf-8")
    names = [f"operator-{number}" for number in range(n_operators)]
    add_accounts(folder, names)
    watcher = stack.enter_context(
        started(
            ["benchmarks.desk_watcher", str(folder / "stopwatch.jsonl"), "--config", str(config)],
            log=folder / "watcher.log",
        )
    )
    if desk_nice:
        os.nice(desk_nice)
    desk = stack.enter_context(
        started(["pipeline.cli", "serve", "--config", str(config)], log=folder / "desk.log")
    )
    port = read_port(desk, folder / "desk.log")
    cookies = [await sign_in(port, name, PASSWORD) for name in names]
    parts = {"watcher": watcher.pid, "desk": desk.pid, "client": os.getpid()}
    parts["rtsp"] = next(pid for pid in children_of(os.getpid()) if pid not in parts.values())
    return Running(folder=folder, cameras=cameras, port=port, parts=parts, cookies=cookies)


def site_words(urls: Mapping[str, str]) -> str:
    """The site's configuration; somebody before the first camera raises alerts."""
    cameras = "\n".join(f"  - {{name: {name}, source: '{url}'}}" for name, url in urls.items())
    first = next(iter(urls))
    rule = f"{{name: somebody is there, kind: nobody allowed, cameras: [{first}]}}"
    return (
        f"site: desk load\nlog_level: warning\ncameras:\n{cameras}\n"
        f"alerts: {{cooldown_s: 10.0, group_s: 10.0, rules: [{rule}]}}\n"
        "storage: {reserve_mb: 0}\nfront_desk: {port: 0}\n"
    )


def add_accounts(folder: Path, names: Sequence[str]) -> None:
    """Operators who may see all; of one password, for each of its hashes takes a while."""
    (folder / "site").mkdir()
    hashed = Passwords().hash(PASSWORD)
    now_us = time.time_ns() // 1000
    with open_database(f"sqlite:///{folder / 'site' / 'noctule.db'}", create=True) as database:
        for name in names:
            create_account(
                database, name, password_hash=hashed, role=Role.OPERATOR, cameras=None,
                must_change=False, by="benchmarks.desk_load", now_us=now_us,
            )  # fmt: skip


@contextmanager
def started(words: Sequence[str], *, log: Path) -> Iterator[subprocess.Popen[str]]:
    """A module as a process, ended with the block."""
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=PROJECT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode not in (0, -signal.SIGTERM):
            print(f"{words[0]} ended with {process.returncode}: {log.read_text()[-2000:]}")


def read_port(desk: subprocess.Popen[str], log: Path) -> int:
    """Where the desk listens, as it says."""
    said = ""
    if desk.stdout is not None and select.select([desk.stdout], [], [], _STOPS_WITHIN_S)[0]:
        said = desk.stdout.readline()
    found = re.search(r"Open http://localhost:(\d+)", said)
    if found is None:
        words = log.read_text(encoding="utf-8")[-2000:]
        raise SystemExit(f"noctule serve did not say where it listens: {words}")
    return int(found[1])


def read_stopwatch(file: Path) -> list[Analysed]:
    """All whole lines so far."""
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    return [Analysed(**json.loads(line)) for line in text[: text.rfind("\n") + 1].splitlines()]


def cpu_of(parts: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far of each part, of the watcher's children (capture), and of the machine."""
    found = {part: sum(_ticks(pid)[:2]) for part, pid in parts.items()}
    living = sum(sum(_ticks(pid)[:2]) for pid in children_of(parts["watcher"]))
    found["capture"] = living + sum(_ticks(parts["watcher"])[2:])
    words = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()
    # user, nice, system, irq, softirq, steal: proc_stat(5)
    found["machine"] = sum(int(words[place]) for place in (1, 2, 3, 6, 7, 8))
    return {part: ticks / os.sysconf("SC_CLK_TCK") for part, ticks in found.items()}


def children_of(pid: int) -> list[int]:
    """Living children of a process, then theirs."""
    direct: list[int] = []
    with suppress(OSError):  # it ended meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            direct += map(int, (thread / "children").read_text(encoding="utf-8").split())
    return direct + [other for child in direct for other in children_of(child)]


def _ticks(pid: int) -> tuple[int, int, int, int]:
    """utime, stime, and those of children that ended, of proc_pid_stat(5); 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0, 0, 0, 0
    fields = text.rpartition(")")[2].split()
    return int(fields[11]), int(fields[12]), int(fields[13]), int(fields[14])
