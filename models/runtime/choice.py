"""The fastest way to run a network on this machine: measured once, then remembered."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from models.runtime.parity import Probe
from models.runtime.types import Engine, Runtime, Way
from models.types import ModelId

logger = logging.getLogger(__name__)

ROUNDS = 5
WORTH = 0.95
"""Another way is taken only if it needs at most this share of the time of one that is preferred, so
that noise does not decide between equals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was measured and taken.

    Attributes:
        way: The fastest that answers as torch does.
        ms_per_crop: Milliseconds of one crop alone, per way.
        lowest_cosine: With torch's answer, per way.
    """

    way: Way
    ms_per_crop: dict[str, float]
    lowest_cosine: dict[str, float]


def fastest(ms_per_crop: Mapping[Way, float], preferred: Sequence[Way]) -> Way:
    """The way that needs the least time; near equals in the order of preference.

    >>> ort, torch = Way(runtime=Runtime.ONNX), Way(runtime=Runtime.TORCH)
    >>> fastest({ort: 20.0, torch: 20.4}, [torch, ort]).runtime.value
    'torch'
    >>> fastest({ort: 20.0, torch: 40.0}, [torch, ort]).runtime.value
    'onnx'
    """
    least = min(ms_per_crop.values())
    measured = (way for way in preferred if way in ms_per_crop)
    return next(way for way in measured if ms_per_crop[way] * WORTH <= least)


def measure(
    engines: Mapping[Way, Engine],
    probe: Probe,
    *,
    clock_s: Callable[[], float] = time.process_time,
) -> dict[Way, float]:
    """Milliseconds per crop, one crop at a time, of ways that take turns.

    The shortest of several rounds counts: other work on the machine only ever adds time.

    Args:
        clock_s: Time used by this process suits one thread; a clock on the wall suits several
            threads and GPUs.
    """
    best = dict.fromkeys(engines, float("inf"))
    for _ in range(ROUNDS):
        for way, engine in engines.items():
            started_s = clock_s()
            for i in range(len(probe.pixels)):
                engine.run(probe.pixels[i : i + 1], probe.is_infrared[i : i + 1])
            took_ms = 1000 * (clock_s() - started_s) / len(probe.pixels)
            best[way] = min(best[way], took_ms)
    return best


def choice_file(folder: Path, model: ModelId, ways: Sequence[Way], *, threads: int) -> Path:
    """Where the choice lies; another file for another machine, version, model or set of ways."""
    about = {
        "model": model,
        "ways": [str(way) for way in ways],
        "threads": threads,
        "versions": [_version(name) for name in ("torch", "openvino", "onnxruntime")],
        "machine": machine_name(),
    }
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    return folder / f"choice-{digest[:12]}.json"


def read_choice(file: Path, ways: Sequence[Way]) -> Choice | None:
    """An earlier choice; None if there is none that can be read and still be taken."""
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        way = Way(runtime=Runtime(fields["way"]["runtime"]), half=bool(fields["way"]["half"]))
        choice = Choice(
            way=way,
            ms_per_crop=dict(fields["ms_per_crop"]),
            lowest_cosine=dict(fields["lowest_cosine"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s is not readable and is measured again: %s", file, error)
        return None
    return choice if way in ways else None


def write_choice(file: Path, choice: Choice) -> None:
    """Keeps a choice, complete or not at all.

    Raises:
        OSError: The folder cannot be written.
    """
    text = json.dumps(asdict(choice), indent=1) + "\n"
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as part:
        part.write(text)
    Path(part.name).replace(file)


def machine_name() -> str:
    """Kind of processor, as far as the system tells: what speeds depend on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    kept = {line for line in lines if line.startswith(("model name", "flags", "Features"))}
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    text = " ".join([platform.machine(), platform.processor(), str(n_cores), *sorted(kept)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def describe(ms_per_crop: Mapping[str, float]) -> str:
    """Measured times in one line, fastest first."""
    ranked = sorted(ms_per_crop.items(), key=lambda item: item[1])
    return ", ".join(f"{way} {ms:.1f} ms" for way, ms in ranked)
