"""From crops, and from pictures on disk, to unit vectors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.config import EmbedderConfig
from models.errors import MemoryShort, PictureInvalid, WeightsRefused, WeightsUnavailable
from models.reid.checkpoint import Card, Checkpoint, read_checkpoint, write_checkpoint
from models.reid.embedder import NetworkEmbedder, load_embedder
from models.reid.networks.edge import EdgeArchitecture, EdgeNetwork
from models.reid.pictures import embed_pictures, find_pictures, write_features
from models.runtime.engines import TorchEngine
from models.runtime.load import TORCH, Opened
from models.types import Crop, ModelId
from models.weights import obtain
from streams.errors import ConfigInvalid
from streams.types import CameraId, Modality

CARD = Card(name="tiny", stage="start", data="none", licence="Apache-2.0")


def crop(height: int, width: int, modality: Modality = Modality.VISIBLE, seed: int = 0) -> Crop:
    rng = np.random.default_rng((seed, height, width))
    return Crop(
        camera=CameraId("gate"),
        modality=modality,
        captured_at_us=0,
        box=(0.0, 0.0, float(width), float(height)),
        pixels=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        quality=1.0,
    )


@pytest.fixture(scope="module")
def shipped() -> NetworkEmbedder:
    return load_embedder(EmbedderConfig(device="cpu"))


def embedder_with(network: EdgeNetwork, *, batch: int = 4) -> NetworkEmbedder:
    checkpoint = Checkpoint(network=network.eval(), card=CARD, model=ModelId("tiny@0"))
    opened = Opened(engine=TorchEngine(network, torch.device("cpu")), way=TORCH)
    embedder = NetworkEmbedder(checkpoint, opened, device=torch.device("cpu"), batch=batch)
    embedder._batch = batch  # a CPU takes one at a time; here the batches themselves are tested
    return embedder


def test_no_crops_give_no_rows_of_the_right_width(shipped: NetworkEmbedder) -> None:
    nothing = shipped.embed([])

    assert nothing.vectors.shape == (0, shipped.dimension)
    assert nothing.model == shipped.model


def test_crops_of_any_size_in_both_lights_give_unit_rows_in_order(shipped: NetworkEmbedder) -> None:
    crops = [
        crop(1, 1),
        crop(4000, 4000, Modality.INFRARED),
        crop(3, 900),
        crop(256, 128, Modality.INFRARED),
    ]

    rows = shipped.embed(crops)

    np.testing.assert_allclose(np.linalg.norm(rows.vectors, axis=1), 1, atol=1e-5)
    assert rows.modality == tuple(c.modality for c in crops)
    np.testing.assert_array_equal(rows.vectors[3], shipped.embed(crops[3:]).vectors[0])


def test_a_black_crop_still_has_a_vector(shipped: NetworkEmbedder) -> None:
    black = Crop(
        camera=CameraId("gate"),
        modality=Modality.INFRARED,
        captured_at_us=0,
        box=(0, 0, 20, 50),
        pixels=np.zeros((50, 20, 3), np.uint8),
        quality=0.0,
    )

    assert np.linalg.norm(shipped.embed([black]).vectors) == pytest.approx(1, abs=1e-5)


def test_two_loads_give_the_same_bits(shipped: NetworkEmbedder) -> None:
    crops = [crop(200, 80), crop(200, 80, Modality.INFRARED)]
    again = load_embedder(EmbedderConfig(device="cpu"))

    np.testing.assert_array_equal(shipped.embed(crops).vectors, again.embed(crops).vectors)


def test_the_model_is_named_by_the_content_of_its_weights(shipped: NetworkEmbedder) -> None:
    assert shipped.model == read_checkpoint(obtain("edge")).model
    assert shipped.model.startswith("edge@")


def test_a_network_that_gives_no_numbers_is_an_error_and_not_a_row() -> None:
    network = EdgeNetwork(EdgeArchitecture(independent_stages=0))
    with torch.no_grad():
        network.head.project.bias[0] = torch.nan

    with pytest.raises(RuntimeError, match="not finite"):
        embedder_with(network).embed([crop(20, 10)])


def test_short_memory_halves_the_batch_and_loses_no_crop() -> None:
    network = EdgeNetwork(EdgeArchitecture(independent_stages=0))
    sizes: list[int] = []

    def refuse_more_than_one(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        sizes.append(len(inputs[0]))
        if sizes[-1] > 1:
            raise torch.OutOfMemoryError

    network.register_forward_pre_hook(refuse_more_than_one)

    rows = embedder_with(network, batch=4).embed([crop(20, 10, seed=i) for i in range(5)])

    assert sizes[:3] == [4, 2, 1]
    assert len(rows) == 5


def test_a_device_without_room_for_one_crop_says_so() -> None:
    network = EdgeNetwork(EdgeArchitecture(independent_stages=0))

    def refuse(*_: object) -> None:
        raise torch.OutOfMemoryError

    network.register_forward_pre_hook(refuse)

    with pytest.raises(MemoryShort):
        embedder_with(network).embed([crop(20, 10)])


class Cramped:
    """An engine on a machine whose memory holds `room` crops; says so as torch does on a CPU."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.sizes: list[int] = []

    def run(
        self, pixels: npt.NDArray[np.uint8], is_infrared: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float32]:
        assert len(is_infrared) == len(pixels)
        self.sizes.append(len(pixels))
        if len(pixels) > self.room:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")
        return np.ones((len(pixels), 256), np.float32)


@pytest.mark.parametrize("room", [1, 0])
def test_a_machine_short_of_memory_takes_fewer_crops_at_once_or_says_so(room: int) -> None:
    embedder = embedder_with(EdgeNetwork(EdgeArchitecture(independent_stages=0)), batch=4)
    engine = Cramped(room)
    embedder._engine = engine
    crops = [crop(20, 10, seed=i) for i in range(5)]

    if room:
        assert len(embedder.embed(crops)) == 5
    else:
        with pytest.raises(MemoryShort, match="no memory left for one crop"):
            embedder.embed(crops)

    assert engine.sizes[:3] == [4, 2, 1]


SHORT_RUN = """
import resource
import numpy as np
from models.config import EmbedderConfig
from models.errors import MemoryShort
from models.reid.embedder import load_embedder
from models.types import Crop
from streams.types import CameraId, Modality
embedder = load_embedder(EmbedderConfig(device="cpu", runtime="torch"))
crop = Crop(camera=CameraId("a"), modality=Modality.VISIBLE, captured_at_us=0, box=(0, 0, 1, 1),
            pixels=np.zeros((64, 32, 3), np.uint8), quality=1.0)
embedder.embed([crop])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
unlimited = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used, unlimited[1]))
hoard = []
for numbers in (1 << 20, 1 << 16, 1 << 13):  # the large first, then what malloc kept back
    try:
        while True:
            hoard.append(np.ones(numbers))
    except MemoryError:
        pass
try:
    embedder.embed([crop])
except MemoryShort:
    print("short")
resource.setrlimit(resource.RLIMIT_AS, unlimited)
hoard.clear()
assert len(embedder.embed([crop])) == 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
def test_a_process_that_truly_runs_out_of_memory_says_so_and_recovers() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SHORT_RUN],
        cwd=Path(__file__).parents[1],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout) == (0, "short\n"), run.stderr


def test_weights_that_do_not_exist_are_named() -> None:
    with pytest.raises(WeightsUnavailable, match="nowhere"):
        load_embedder(EmbedderConfig(weights="nowhere.safetensors", device="cpu"))


def test_a_detector_is_no_embedder(tmp_path: Path) -> None:
    path = tmp_path / "yolo.safetensors"
    path.write_bytes(b"PK\x03\x04 a checkpoint of something else")

    with pytest.raises(WeightsRefused):
        load_embedder(EmbedderConfig(weights=str(path), device="cpu", runtime="torch"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_asking_for_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="cuda"):
        load_embedder(EmbedderConfig(device="cuda"))


def test_untrained_weights_say_so_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tiny.safetensors"
    write_checkpoint(path, EdgeNetwork(EdgeArchitecture(independent_stages=0)), CARD)

    load_embedder(EmbedderConfig(weights=str(path), device="cpu", runtime="torch"))

    assert "will be poor" in caplog.text


def write_picture(path: Path, *, coloured: bool) -> None:
    pixels = crop(64, 32, seed=len(path.name)).pixels
    blocks = cv2.resize(pixels[:8, :4], (32, 64), interpolation=cv2.INTER_NEAREST)
    grey = np.repeat(blocks[..., :1], 3, 2)
    cv2.imwrite(str(path), blocks if coloured else grey)


def test_pictures_of_a_folder_become_features_that_numpy_loads(
    tmp_path: Path, shipped: NetworkEmbedder
) -> None:
    write_picture(tmp_path / "10.png", coloured=False)
    write_picture(tmp_path / "9.png", coloured=True)
    (tmp_path / "8.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not a picture", encoding="utf-8")

    features = embed_pictures(find_pictures([tmp_path]), shipped, modality="auto")
    write_features(tmp_path / "features.npz", features)

    with np.load(tmp_path / "features.npz", allow_pickle=False) as arrays:
        assert [Path(f).name for f in arrays["file"]] == ["9.png", "10.png"]
        assert list(arrays["modality"]) == ["visible", "infrared"]
        assert str(arrays["model"]) == shipped.model
        np.testing.assert_array_equal(arrays["vec"], features.embeddings.vectors)
        assert arrays["vec"].shape == (2, shipped.dimension)


def test_files_that_are_no_pictures_are_an_error(tmp_path: Path, shipped: NetworkEmbedder) -> None:
    (tmp_path / "a.jpg").write_bytes(b"zero")

    with pytest.raises(PictureInvalid, match="none of 1"):
        embed_pictures(find_pictures([tmp_path]), shipped, modality="auto")
    with pytest.raises(PictureInvalid, match="no such"):
        find_pictures([tmp_path / "missing.jpg"])
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(PictureInvalid, match="no pictures"):
        find_pictures([tmp_path])
