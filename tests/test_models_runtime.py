"""The embedder in every installed library, the choice among them, and what if one fails."""

from __future__ import annotations

import json
import logging
import os
import shutil
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
from models.runtime.choice import Choice, choice_file, read_choice, write_choice
from models.runtime.engines import TorchEngine, format_of, open_graphs, ways_here
from models.runtime.export import (
    CARD,
    export,
    folder_name,
    read_export,
    with_exact_entrance,
)
from models.runtime.load import TORCH, Loader, Opened
from models.runtime.parity import LEAST_COSINE, Probe, lowest_cosine, make_probe, require_parity
from models.runtime.types import Engine, GraphFormat, Runtime, Way
from models.types import Crop, ModelId
from models.weights import obtain, sha256_of
from streams.errors import ConfigInvalid
from streams.types import CameraId, Modality

CPU = torch.device("cpu")
PROJECT = Path(__file__).parents[1]
WAYS = ways_here(on_gpu=False, allow_half=True)
OPENVINO = Way(runtime=Runtime.OPENVINO)
needs_openvino = pytest.mark.skipif(OPENVINO not in WAYS, reason="openvino is not installed")
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


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


@pytest.fixture(scope="module")
def engines(shipped: Checkpoint, exports: Path) -> dict[Way, Engine]:
    opened: dict[Way, Engine] = {TORCH: TorchEngine(shipped.network, CPU)}
    for way in WAYS:
        if way != TORCH:
            folder = exports / folder_name(format_of(way.runtime))
            opened[way] = open_graphs(way, folder, threads=1)
    return opened


@pytest.fixture
def cache(exports: Path, tmp_path: Path) -> Path:
    """A copy of the OpenVINO export, to be spoilt."""
    folder = tmp_path / "cache"
    name = folder_name(GraphFormat.OPENVINO)
    shutil.copytree(exports / name, folder / name)
    return folder


def loader(shipped: Checkpoint, cache: Path) -> Loader:
    return Loader(network=shipped.network, model=shipped.model, device=CPU, cache=cache, threads=1)


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


@needs_openvino
def test_the_choice_is_measured_once_and_then_remembered(
    shipped: Checkpoint, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = loader(shipped, cache).open(Runtime.OPENVINO, allow_half=True)
    (file,) = cache.glob("choice-*.json")
    written = file.read_bytes()
    assert "comparing" in caplog.text
    caplog.clear()

    ways = [loader(shipped, cache).open(Runtime.OPENVINO, allow_half=True).way for _ in range(2)]

    assert ways == [first.way] * 2
    assert "comparing" not in caplog.text
    assert file.read_bytes() == written
    assert json.loads(written)["ms_per_crop"][str(first.way)] > 0


@pytest.mark.parametrize("content", ["", "[]", '{"way": {"runtime": "abacus"}}'])
def test_a_damaged_choice_counts_as_none(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "choice.json").write_text(content, encoding="utf-8")

    assert read_choice(tmp_path / "choice.json", WAYS) is None
    assert "measured again" in caplog.text


def test_a_choice_that_can_no_longer_be_taken_counts_as_none(tmp_path: Path) -> None:
    file = tmp_path / "choice.json"
    write_choice(file, Choice(way=OPENVINO, ms_per_crop={}, lowest_cosine={}))

    assert read_choice(file, [OPENVINO, TORCH]) is not None
    assert read_choice(file, [TORCH]) is None


@needs_openvino
def test_a_damaged_export_is_made_again(
    shipped: Checkpoint, cache: Path, probe: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    folder = cache / folder_name(GraphFormat.OPENVINO)
    weights = folder / "visible.bin"
    weights.write_bytes(weights.read_bytes()[:1000])

    opened = loader(shipped, cache).open(Runtime.OPENVINO, allow_half=False)

    assert "made again" in caplog.text
    assert opened.way == OPENVINO
    assert lowest_cosine(opened.engine, probe.few()) > 0.99999
    read_export(folder, shipped.model, GraphFormat.OPENVINO)


def vouch(folder: Path) -> None:
    """Writes the checksums of what lies there now, as a faulty exporter would have."""
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card["sha256"] = {name: sha256_of(folder / name) for name in card["sha256"]}
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")


def swap_lights(folder: Path) -> None:
    for suffix in (".xml", ".bin"):
        files = [folder / f"{light}{suffix}" for light in Modality]
        contents = [file.read_bytes() for file in files]
        for file, content in zip(files, contents[::-1], strict=True):
            file.write_bytes(content)


def no_graph(folder: Path) -> None:
    (folder / "visible.xml").write_text("<net", encoding="utf-8")


@needs_openvino
@pytest.mark.parametrize("spoil", [swap_lights, no_graph])
def test_a_graph_that_answers_wrongly_or_not_at_all_gives_way_to_torch(
    spoil: object,
    shipped: Checkpoint,
    cache: Path,
    probe: Probe,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = cache / folder_name(GraphFormat.OPENVINO)
    assert callable(spoil)
    spoil(folder)
    vouch(folder)

    opened = loader(shipped, cache).open(Runtime.OPENVINO, allow_half=False)

    assert opened.way == TORCH
    assert "left out: openvino in float32" in caplog.text
    assert lowest_cosine(opened.engine, probe.few()) > 0.99999


@needs_openvino
def test_a_choice_that_goes_wrong_later_is_noticed_at_the_start(
    shipped: Checkpoint, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = choice_file(cache, shipped.model, [OPENVINO], threads=1)
    write_choice(file, Choice(way=OPENVINO, ms_per_crop={}, lowest_cosine={}))
    folder = cache / folder_name(GraphFormat.OPENVINO)
    swap_lights(folder)
    vouch(folder)

    opened = loader(shipped, cache).open(Runtime.OPENVINO, allow_half=False)

    assert opened.way == TORCH
    assert "all ways are measured again" in caplog.text


def test_a_library_that_is_not_installed_gives_way_to_torch(
    shipped: Checkpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("openvino", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)

    by_name = loader(shipped, tmp_path).open(Runtime.OPENVINO, allow_half=True)
    by_itself = loader(shipped, tmp_path).open(None, allow_half=True)

    assert by_name.way == by_itself.way == TORCH
    assert "no openvino here, torch is taken" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_costs_no_export_at_every_start(
    shipped: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("a file where the cache should be", encoding="utf-8")

    opened = loader(shipped, tmp_path / "file" / "cache").open(None, allow_half=True)

    assert opened.way == TORCH
    if len(WAYS) > 1:
        assert "set NOCTULE_CACHE" in caplog.text


def test_a_folder_of_something_else_is_not_replaced_by_an_export(
    shipped: Checkpoint, exports: Path, tmp_path: Path
) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"precious")

    with pytest.raises(RuntimeUnusable, match="not a complete export"):
        read_export(tmp_path, shipped.model, GraphFormat.OPENVINO)
    with pytest.raises(RuntimeUnusable):
        read_export(exports / "nowhere", ModelId("other@0"), GraphFormat.OPENVINO)

    assert (tmp_path / "holiday.jpg").read_bytes() == b"precious"


def test_a_runtime_of_the_other_device_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigInvalid, match="tensorrt needs a GPU"):
        load_embedder(EmbedderConfig(runtime="tensorrt", device="cpu"))


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
