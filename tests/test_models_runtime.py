"""Whatever library computes a network, the vectors are torch's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from models.config import EmbedderConfig
from models.errors import RuntimeUnusable, WeightsRefused
from models.reid.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from models.reid.embedder import NetworkEmbedder, load_embedder
from models.runtime.engines import TorchEngine, format_of, open_graphs
from models.runtime.export import folder_name, with_exact_entrance
from models.runtime.load import TORCH, Opened
from models.runtime.parity import LEAST_COSINE, Probe, lowest_cosine, require_parity
from models.runtime.types import Engine, Way
from models.types import Crop
from models.weights import obtain
from streams.types import CameraId, Modality
from tests.runtime_builders import CPU, OPENVINO, WAYS, needs_openvino

pytest_plugins = ["tests.runtime_builders"]

PROJECT = Path(__file__).parents[1]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


@pytest.fixture(scope="module")
def engines(shipped: Checkpoint, exports: Path) -> dict[Way, Engine]:
    opened: dict[Way, Engine] = {TORCH: TorchEngine(shipped.network, CPU)}
    for way in WAYS:
        if way != TORCH:
            folder = exports / folder_name(format_of(way.runtime))
            opened[way] = open_graphs(way, folder, threads=1)
    return opened


def crop(height: int, width: int, modality: Modality = Modality.VISIBLE) -> Crop:
    rng = np.random.default_rng((height, width))
    return Crop(
        camera=CameraId("gate"),
        modality=modality,
        captured_at_us=0,
        box=(0.0, 0.0, float(width), float(height)),
        pixels=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        quality=1.0,
    )


def crops_of(probe: Probe) -> list[Crop]:
    return [
        Crop(
            camera=CameraId("gate"),
            modality=Modality.INFRARED if infrared else Modality.VISIBLE,
            captured_at_us=0,
            box=(0.0, 0.0, 128.0, 256.0),
            pixels=pixels.copy(),
            quality=1.0,
        )
        for pixels, infrared in zip(probe.pixels, probe.is_infrared, strict=True)
    ]


def test_the_probe_shows_people_in_both_lights(probe: Probe) -> None:
    contrast = probe.pixels.std((1, 2, 3))
    assert len(probe.pixels) == 20
    assert probe.is_infrared.sum() == 10
    assert np.ptp(probe.pixels[probe.is_infrared], axis=-1).max() == 0
    assert contrast[16:].max() < contrast[:16].min() / 2
    assert len(np.unique(probe.vectors.round(3), axis=0)) == 20


@every_way
def test_every_library_answers_as_torch_does(
    way: Way, engines: dict[Way, Engine], probe: Probe
) -> None:
    cosine = lowest_cosine(engines[way], probe)

    assert cosine >= (LEAST_COSINE if way.half else 0.99999)


@every_way
@pytest.mark.parametrize("n", [1, 3, 17])
def test_a_batch_of_any_size_and_both_lights_comes_back_in_order(
    way: Way, n: int, engines: dict[Way, Engine], probe: Probe
) -> None:
    chosen = np.random.default_rng(n).permutation(np.arange(n) % 16)

    rows = engines[way].run(probe.pixels[chosen], probe.is_infrared[chosen])

    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    nearest = (rows @ probe.vectors[:16].T).argmax(1)
    np.testing.assert_array_equal(nearest, chosen)
    assert (rows * probe.vectors[chosen]).sum(1).min() >= LEAST_COSINE


@every_way
def test_a_vector_is_the_same_to_the_last_bit_whichever_crops_it_comes_with(
    way: Way, engines: dict[Way, Engine], shipped: Checkpoint, probe: Probe
) -> None:
    opened = Opened(engine=engines[way], way=way)
    embedder = NetworkEmbedder(shipped, opened, device=CPU, batch=32)
    crops = crops_of(probe)[6:11]

    together = embedder.embed(crops).vectors
    turned = embedder.embed(crops[::-1]).vectors
    alone = np.concatenate([embedder.embed([each]).vectors for each in crops])

    np.testing.assert_array_equal(together, turned[::-1])
    np.testing.assert_array_equal(together, alone)


@every_way
def test_a_crop_of_one_pixel_and_one_of_four_thousand_have_vectors(
    way: Way, engines: dict[Way, Engine], shipped: Checkpoint
) -> None:
    opened = Opened(engine=engines[way], way=way)
    embedder = NetworkEmbedder(shipped, opened, device=CPU, batch=32)

    rows = embedder.embed([crop(1, 1), crop(4000, 4000, Modality.INFRARED), crop(4000, 1)])

    np.testing.assert_allclose(np.linalg.norm(rows.vectors, axis=1), 1, atol=1e-5)


def test_weights_that_are_not_numbers_are_refused_before_any_library_sees_them(
    shipped: Checkpoint, tmp_path: Path
) -> None:
    broken = read_checkpoint(obtain("edge")).network
    with torch.no_grad():
        next(broken.parameters()).view(-1)[0] = torch.nan
    write_checkpoint(tmp_path / "nan.safetensors", broken, shipped.card)

    with pytest.raises(WeightsRefused, match="not finite"):
        load_embedder(EmbedderConfig(weights=str(tmp_path / "nan.safetensors"), device="cpu"))


def test_the_entrance_of_a_graph_gives_the_vectors_of_the_network(
    shipped: Checkpoint, probe: Probe
) -> None:
    exact = TorchEngine(with_exact_entrance(shipped.network), CPU)

    assert lowest_cosine(exact, probe) > 0.99999


class Wrong:
    """An engine that gives the same numbers whatever it sees."""

    def __init__(self, value: float) -> None:
        self.value = value

    def run(self, pixels: np.ndarray, is_infrared: np.ndarray) -> np.ndarray:  # noqa: ARG002
        return np.full((len(pixels), 256), self.value, np.float32)


@pytest.mark.parametrize("value", [1.0, 0.0, np.nan, np.inf])
def test_an_engine_that_answers_otherwise_has_no_parity(value: float, probe: Probe) -> None:
    with pytest.raises(RuntimeUnusable, match="differs from torch"):
        require_parity(OPENVINO, Wrong(value), probe)


QUIET_RUN = """
import socket
def refuse(*_, **__): raise SystemExit("went to the network")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from models.runtime.libraries import import_openvino
openvino = import_openvino()
import sys, time
time.sleep(0.5)
assert "openvino_telemetry" not in sys.modules
assert openvino.convert_model and openvino.Core().available_devices
"""
SIGNALLED = """
import faulthandler, signal, subprocess, sys
import numpy as np
faulthandler.enable()
from models.runtime.libraries import import_openvino, openvino_core
openvino = import_openvino()
from openvino import opset8
numbers = opset8.parameter([1, 8], np.float32)
model = openvino.Model([opset8.relu(numbers)], [numbers])
first = [openvino_core()]
first.append(first[0].compile_model(model, "CPU"))
second = [openvino_core()]
second.append(second[0].compile_model(model, "CPU"))
del first, second
signal.signal(signal.SIGCHLD, lambda *_: None)
subprocess.run([sys.executable, "-c", "import time; time.sleep(0.2)"], check=True)
print("alive")
"""


@needs_openvino
def test_a_signal_after_openvino_was_used_does_not_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", SIGNALLED], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "alive\n")


@needs_openvino
def test_openvino_reports_to_nobody_and_leaves_the_home_alone(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "GITHUB_ACTIONS")}

    run = subprocess.run(
        [sys.executable, "-c", QUIET_RUN],
        cwd=PROJECT,
        env=environment | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert list(tmp_path.rglob("*")) == []
