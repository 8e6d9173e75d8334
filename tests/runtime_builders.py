"""The shipped network, what it exports to, and crops for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from models.reid.checkpoint import Checkpoint, read_checkpoint
from models.runtime.engines import format_of, ways_here
from models.runtime.export import export, folder_name
from models.runtime.load import TORCH
from models.runtime.parity import Probe, make_probe
from models.runtime.types import GraphFormat, Runtime, Way
from models.weights import obtain

CPU = torch.device("cpu")
WAYS = ways_here(on_gpu=False, allow_half=True)
OPENVINO = Way(runtime=Runtime.OPENVINO)
needs_openvino = pytest.mark.skipif(OPENVINO not in WAYS, reason="openvino is not installed")


@pytest.fixture(scope="module")
def shipped() -> Checkpoint:
    return read_checkpoint(obtain("edge"))


@pytest.fixture(scope="module")
def probe(shipped: Checkpoint) -> Probe:
    return make_probe(shipped.network)


@pytest.fixture(scope="module")
def exports(shipped: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the shipped network in every format that can be written here."""
    cache = tmp_path_factory.mktemp("runtime")
    for graph_format in {format_of(way.runtime) for way in WAYS if way != TORCH}:
        export(shipped.network, shipped.model, graph_format, cache / folder_name(graph_format))
    return cache


@pytest.fixture
def cache(exports: Path, tmp_path: Path) -> Path:
    """A copy of the OpenVINO export, to be spoilt."""
    folder = tmp_path / "cache"
    name = folder_name(GraphFormat.OPENVINO)
    shutil.copytree(exports / name, folder / name)
    return folder
