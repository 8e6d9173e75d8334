"""The libraries that run graphs: which are here, and how they are imported."""

from __future__ import annotations

import functools
import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

TELEMETRY = "openvino_telemetry"


def is_installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    if module in sys.modules:
        return sys.modules[module] is not None
    return find_spec(module) is not None


def import_openvino() -> Any:
    """OpenVINO, kept from reporting to its maker.

    `import openvino` alone writes `~/intel` and sends an event to a web analytics service unless it
    finds itself in a CI job (openvino/tools/ovc/__init__.py, openvino_telemetry/main.py, 2026.4).
    Cameras' recognisers have nothing to report. Without the package OpenVINO takes an empty
    stand-in of its own, so the package is hidden while OpenVINO is imported.

    Raises:
        ImportError: OpenVINO is not installed, or does not load on this machine.
    """
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    earlier: ModuleType | None = sys.modules.get(TELEMETRY)
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # makes `import` fail, by definition
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules[TELEMETRY]
        if earlier is not None:
            sys.modules[TELEMETRY] = earlier


@functools.cache
def openvino_core() -> Any:
    """OpenVINO's one core of this process.

    Its CPU plugin gives the thread that loads it an alternate signal stack, and on unloading puts
    back the one it found. When two cores are dropped in the order in which they were made, that is
    memory of the first, long unmapped, and the next signal, Ctrl-C say, kills the process (seen
    with OpenVINO 2026.4). A core that is never dropped unloads nothing.

    Raises:
        ImportError: OpenVINO is not installed, or does not load on this machine.
    """
    return import_openvino().Core()


def import_onnxruntime() -> Any:
    """ONNX Runtime, without its warnings about devices that are not there.

    Raises:
        ImportError: It is not installed, or does not load on this machine.
    """
    onnxruntime = importlib.import_module("onnxruntime")
    onnxruntime.set_default_logger_severity(3)
    return onnxruntime
