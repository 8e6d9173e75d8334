"""Networks ready to run: in torch, or as two graphs in a library that runs graph files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.errors import RuntimeUnusable
from models.reid.networks.types import EmbeddingNetwork
from models.runtime.export import graph_file
from models.runtime.libraries import import_onnxruntime, is_installed, openvino_core
from models.runtime.types import Engine, Graph, GraphFormat, Pixels, Runtime, Vectors, Way
from streams.types import Modality

ONNX_PROVIDER = {
    Runtime.ONNX: "CPUExecutionProvider",
    Runtime.TENSORRT: "TensorrtExecutionProvider",
}


class TorchEngine:
    """The network itself, on one device."""

    def __init__(self, network: EmbeddingNetwork, device: torch.device) -> None:
        self._network = network.to(device).to(memory_format=torch.channels_last)
        self._device = device

    def run(self, pixels: Pixels, is_infrared: npt.NDArray[np.bool_]) -> Vectors:
        """See `Engine.run`."""
        with torch.inference_mode():
            x = torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2)  # (B, 3, H, W)
            rows: Tensor = self._network(x, torch.from_numpy(is_infrared).to(self._device))
            return np.asarray(rows.float().cpu().numpy(), np.float32)


class GraphEngine:
    """Two graphs, one per light; a mixed batch is divided and put together again."""

    def __init__(self, visible: Graph, infrared: Graph) -> None:
        self._graphs = ((visible, False), (infrared, True))

    def run(self, pixels: Pixels, is_infrared: npt.NDArray[np.bool_]) -> Vectors:
        """See `Engine.run`."""
        parts: list[tuple[npt.NDArray[np.intp], Vectors]] = []
        for graph, infrared in self._graphs:
            chosen = np.flatnonzero(is_infrared == infrared)
            if len(chosen):
                parts.append((chosen, graph(np.ascontiguousarray(pixels[chosen]))))
        rows = np.empty((len(pixels), parts[0][1].shape[1]), np.float32)
        for chosen, vectors in parts:
            rows[chosen] = vectors
        return rows


def format_of(runtime: Runtime) -> GraphFormat:
    """The graph files that a library other than torch reads."""
    return GraphFormat.OPENVINO if runtime is Runtime.OPENVINO else GraphFormat.ONNX


def ways_here(*, on_gpu: bool, allow_half: bool) -> list[Way]:
    """Ways that the installed libraries and this machine offer, torch last.

    Raises nothing: a library that is installed but does not load counts as missing.
    """
    ways: list[Way] = []
    if not on_gpu and is_installed("openvino"):
        try:
            skills = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        except (ImportError, RuntimeError):
            skills = None
        if skills is not None:
            if allow_half and "BF16" in skills:
                ways.append(Way(runtime=Runtime.OPENVINO, half=True))
            ways.append(Way(runtime=Runtime.OPENVINO))
    if is_installed("onnxruntime"):
        try:
            providers = import_onnxruntime().get_available_providers()
        except ImportError:
            providers = []
        runtime = Runtime.TENSORRT if on_gpu else Runtime.ONNX
        if ONNX_PROVIDER[runtime] in providers:
            ways.append(Way(runtime=runtime))
    return [*ways, Way(runtime=Runtime.TORCH)]


def open_graphs(way: Way, folder: Path, *, threads: int) -> Engine:
    """The engine of a folder of graphs.

    Args:
        folder: As `models.runtime.export.export` wrote it, in the format of the way's library.
        threads: CPU threads of one forward pass.

    Raises:
        RuntimeUnusable: The library does not load, or refuses the graph.
    """
    opener = _open_openvino if way.runtime is Runtime.OPENVINO else _open_onnx
    files = [graph_file(folder, format_of(way.runtime), light) for light in Modality]
    visible, infrared = (opener(file, way, threads) for file in files)
    return GraphEngine(visible, infrared)


def _open_openvino(file: Path, way: Way, threads: int) -> Graph:
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if way.half else "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        # Pinned threads of several processes meet on the same core.
        "ENABLE_CPU_PINNING": False,
    }
    try:
        compiled = openvino_core().compile_model(str(file), "CPU", settings)
        request = compiled.create_infer_request()
    except (ImportError, RuntimeError) as error:
        raise _unusable(way, file, error) from error

    def run(pixels: Pixels) -> Vectors:
        return np.array(request.infer({0: pixels})[0], np.float32)

    return run


def _open_onnx(file: Path, way: Way, threads: int) -> Graph:
    try:
        onnxruntime = import_onnxruntime()
    except ImportError as error:
        raise _unusable(way, file, error) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(file), options, providers=_providers(way.runtime, file)
        )
    except _onnx_errors() as error:
        raise _unusable(way, file, error) from error
    wanted = ONNX_PROVIDER[way.runtime]
    if session.get_providers()[0] != wanted:  # it goes on without one that does not start
        raise RuntimeUnusable(f"{way}: {wanted} did not start on this machine")
    name = session.get_inputs()[0].name
    run_session: Callable[..., Any] = session.run

    def run(pixels: Pixels) -> Vectors:
        return np.asarray(run_session(None, {name: pixels})[0], np.float32)

    return run


def _providers(runtime: Runtime, file: Path) -> list[str | tuple[str, dict[str, str]]]:
    """TensorRT builds an engine per machine, in minutes: kept beside the graph."""
    if runtime is not Runtime.TENSORRT:
        return [ONNX_PROVIDER[runtime]]
    kept = {"trt_engine_cache_enable": "True", "trt_engine_cache_path": str(file.parent)}
    return [(ONNX_PROVIDER[runtime], kept), "CUDAExecutionProvider", "CPUExecutionProvider"]


def _onnx_errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's own exceptions: they have no base of their own, so each is named."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "EPFail",
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
    )
    return (RuntimeError, *(getattr(state, name) for name in names if hasattr(state, name)))


def _unusable(way: Way, file: Path, error: Exception) -> RuntimeUnusable:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return RuntimeUnusable(f"{way}: cannot open {file.name} ({reason[-1][:200]})")
