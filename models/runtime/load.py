"""From a network to an engine: the way that was asked for, or the fastest that can be trusted.

Whatever goes wrong with a library, torch is there: the reason is logged and the work goes on.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from models.errors import RuntimeUnusable
from models.reid.networks.types import EmbeddingNetwork
from models.runtime.choice import (
    Choice,
    choice_file,
    describe,
    fastest,
    measure,
    read_choice,
    write_choice,
)
from models.runtime.engines import TorchEngine, format_of, open_graphs, ways_here
from models.runtime.export import can_export, export, folder_name, read_export
from models.runtime.parity import make_probe, require_parity
from models.runtime.types import Engine, GraphFormat, Runtime, Way
from models.types import ModelId

logger = logging.getLogger(__name__)

FEW = 1
"""Crops per light that are compared with torch at every start; all are before a way is chosen."""
TORCH = Way(runtime=Runtime.TORCH)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """An engine and the way it runs."""

    engine: Engine
    way: Way


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loader:
    """What opening a network in any way needs.

    Attributes:
        network: On the CPU, in evaluation mode.
        cache: Folder of exports and choices of this network.
        threads: CPU threads of one forward pass.
    """

    network: EmbeddingNetwork
    model: ModelId
    device: torch.device
    cache: Path
    threads: int

    def open(self, runtime: Runtime | None, *, allow_half: bool) -> Opened:
        """The engine of a library, of the fastest one if None; torch if no other can be used."""
        ways = ways_here(on_gpu=self.device.type == "cuda", allow_half=allow_half)
        wanted = [way for way in ways if way.runtime is runtime or _counts(way, runtime)]
        if not wanted:
            logger.warning("embedder %s: no %s here, torch is taken", self.model, runtime)
        if not wanted or wanted == [TORCH]:
            return self._torch()
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.cache):
                pass
        except OSError as error:
            return self._without_cache(wanted, runtime, error)
        return self._remembered(wanted, self.cache) or self._measured(wanted, self.cache)

    def _without_cache(
        self, wanted: Sequence[Way], runtime: Runtime | None, error: OSError
    ) -> Opened:
        """Torch, rather than an export at every start, unless a library was asked for by name."""
        logger.warning(
            "embedder %s: %s cannot be written (%s); %s. Make it writable or set NOCTULE_CACHE",
            self.model,
            self.cache,
            error.strerror,
            "torch is taken" if runtime is None else "the network is exported at every start",
        )
        if runtime is None:
            return self._torch()
        with tempfile.TemporaryDirectory(prefix="noctule-") as scratch:
            return self._measured(wanted, Path(scratch))

    def _remembered(self, wanted: Sequence[Way], cache: Path) -> Opened | None:
        file = choice_file(cache, self.model, wanted, threads=self.threads)
        choice = read_choice(file, wanted)
        if choice is None:
            return None
        if choice.way == TORCH:
            return self._torch()
        try:
            engine = self._open(choice.way, cache)
            require_parity(choice.way, engine, make_probe(self.network, per_light=FEW))
        except RuntimeUnusable as error:
            logger.warning("embedder %s: %s; all ways are measured again", self.model, error)
            return None
        logger.info("embedder %s runs in %s", self.model, choice.way)
        return Opened(engine=engine, way=choice.way)

    def _measured(self, wanted: Sequence[Way], cache: Path) -> Opened:
        """The fastest way with parity. ONNX Runtime is not tried once one in bfloat16 has it: its
        export takes longest, and in float32 it needs half as long again per crop."""
        logger.info(
            "embedder %s: comparing %s with torch, once on this machine",
            self.model,
            ", ".join(map(str, wanted)),
        )
        started_s = time.monotonic()
        probe = make_probe(self.network)
        engines: dict[Way, Engine] = {}
        cosines: dict[str, float] = {}
        for way in wanted:
            if way.runtime is Runtime.ONNX and any(done.half for done in engines):
                continue
            try:
                engine = self._torch().engine if way == TORCH else self._open(way, cache)
                cosines[str(way)] = require_parity(way, engine, probe)
                engines[way] = engine
            except RuntimeUnusable as error:
                logger.warning("embedder %s: left out: %s", self.model, error)
        if not engines:
            logger.warning("embedder %s: torch is taken", self.model)
            return self._torch()
        alone = self.threads == 1 and self.device.type == "cpu"
        clock_s = time.process_time if alone else time.perf_counter
        speeds = measure(engines, probe.few(), clock_s=clock_s)
        choice = Choice(
            way=fastest(speeds, wanted),
            ms_per_crop={str(way): ms for way, ms in speeds.items()},
            lowest_cosine=cosines,
        )
        self._keep(choice, wanted, cache)
        logger.info(
            "embedder %s runs in %s, per crop: %s; found in %.1f s",
            self.model,
            choice.way,
            describe(choice.ms_per_crop),
            time.monotonic() - started_s,
        )
        return Opened(engine=engines[choice.way], way=choice.way)

    def _keep(self, choice: Choice, wanted: Sequence[Way], cache: Path) -> None:
        try:
            write_choice(choice_file(cache, self.model, wanted, threads=self.threads), choice)
        except OSError as error:
            logger.warning("the choice of a runtime cannot be kept: %s", error)

    def _open(self, way: Way, cache: Path) -> Engine:
        return open_graphs(way, self._exported(format_of(way.runtime), cache), threads=self.threads)

    def _exported(self, graph_format: GraphFormat, cache: Path) -> Path:
        """The folder of graphs, made now if there is none that is whole."""
        if not can_export(graph_format):
            raise RuntimeUnusable(f"export to {graph_format}: its libraries are not installed")
        folder = cache / folder_name(graph_format)
        if folder.exists():
            try:
                read_export(folder, self.model, graph_format)
            except RuntimeUnusable as error:
                logger.warning("%s; made again", error)
            else:
                return folder
        started_s = time.monotonic()
        try:
            export(self.network, self.model, graph_format, folder)
        except OSError as error:
            raise RuntimeUnusable(f"export to {graph_format}: {error}") from error
        logger.info(
            "embedder %s exported to %s in %.1f s", self.model, folder, time.monotonic() - started_s
        )
        return folder

    def _torch(self) -> Opened:
        return Opened(engine=TorchEngine(self.network, self.device), way=TORCH)


def _counts(way: Way, runtime: Runtime | None) -> bool:
    """Whether a way takes part where none is asked for; TensorRT builds for minutes: not it."""
    return runtime is None and way.runtime is not Runtime.TENSORRT
