"""The two-stream network, its weights file, and its parity with the network it starts from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.errors import WeightsRefused
from models.reid.checkpoint import Card, read_checkpoint, write_checkpoint
from models.reid.networks.edge import N_STAGES, EdgeArchitecture, EdgeNetwork
from models.training.start import start_from_retail_0277

PEER = Path("../shared/assets/weights/person-reidentification-retail-0277.xml").resolve()
CARD = Card(name="tiny", stage="trained, in a test", data="none", licence="Apache-2.0")


def random_crops(n: int) -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng(3).integers(0, 256, (n, 3, 256, 128), dtype=np.uint8)
    )


def fresh(independent_stages: int) -> EdgeNetwork:
    torch.manual_seed(0)
    return EdgeNetwork(EdgeArchitecture(independent_stages=independent_stages)).eval()


@torch.inference_mode()
@pytest.mark.parametrize("independent_stages", range(N_STAGES + 1))
def test_a_mixed_batch_gives_each_crop_what_it_gets_alone(independent_stages: int) -> None:
    network = fresh(independent_stages)
    crops, infrared = random_crops(3), torch.tensor([True, False, True])

    together = network(crops, infrared)

    alone = torch.cat([network(crops[i : i + 1], infrared[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("infrared", [False, True])
def test_parts_and_the_way_of_one_light_give_the_same_vector(infrared: bool) -> None:
    network = fresh(1)
    crops = random_crops(2)
    light = torch.full((2,), infrared)

    vectors, parts = network(crops, light), network.parts(crops, light)

    assert torch.equal(network.forward_one_light(crops, infrared=infrared), vectors)
    assert torch.equal(parts.features, vectors[None, None])
    assert torch.equal(parts.necked, vectors[None, None])


@torch.inference_mode()
def test_modality_matters_only_where_stages_are_independent() -> None:
    crop = random_crops(1)
    visible, infrared = torch.tensor([False]), torch.tensor([True])

    shared, two_stream = fresh(0), fresh(1)

    assert torch.equal(shared(crop, visible), shared(crop, infrared))
    assert not torch.allclose(two_stream(crop, visible), two_stream(crop, infrared))


def test_a_stage_of_the_wrong_light_gets_no_gradient() -> None:
    network = fresh(1)

    network(random_crops(2), torch.tensor([False, False])).sum().backward()

    assert all(p.grad is None for p in network.infrared.parameters())
    assert all(p.grad is not None for p in network.visible.parameters())


@pytest.mark.parametrize(
    ("shape", "infrared"),
    [
        pytest.param((1, 3, 128, 256), torch.tensor([True]), id="lying crop"),
        pytest.param((2, 3, 256, 128), torch.tensor([True]), id="one light for two crops"),
        pytest.param((1, 3, 256, 128), torch.tensor([1]), id="light as a number"),
    ],
)
def test_wrong_shapes_are_refused_in_words(shape: tuple[int, ...], infrared: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="expected"):
        fresh(0)(torch.zeros(shape), infrared)


@pytest.mark.parametrize("stages", [-1, N_STAGES + 1])
def test_an_impossible_number_of_independent_stages_is_refused(stages: int) -> None:
    with pytest.raises(ValueError, match="independent_stages"):
        EdgeArchitecture(independent_stages=stages)


@torch.inference_mode()
def test_a_weights_file_gives_back_network_card_and_content_as_name(tmp_path: Path) -> None:
    network, path = fresh(1), tmp_path / "tiny.safetensors"

    write_checkpoint(path, network, CARD)
    read = read_checkpoint(path)

    crops, infrared = random_crops(2), torch.tensor([False, True])
    before, after = network(crops, infrared), read.network(crops, infrared)
    assert torch.cosine_similarity(before, after).min() > 0.9999  # half precision on disk
    assert read.card == CARD
    assert read.model.startswith("tiny@")
    assert len(read.model) == len("tiny@") + 12


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    for content in (b"", b"not a weights file", b"\x80\x04pickle"):
        path.write_bytes(content)
        with pytest.raises(WeightsRefused, match="safetensors"):
            read_checkpoint(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"w": torch.zeros(2)}, path, metadata={"format": "pt"})

    with pytest.raises(WeightsRefused, match="format"):
        read_checkpoint(path)


def test_a_truncated_weights_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    write_checkpoint(path, fresh(0), CARD)
    path.write_bytes(path.read_bytes()[:-1000])

    with pytest.raises(WeightsRefused):
        read_checkpoint(path)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    network, path = fresh(0), tmp_path / "nan.safetensors"
    with torch.no_grad():
        network.head.place_bias[0] = torch.nan
    write_checkpoint(path, network, CARD)

    with pytest.raises(WeightsRefused, match="finite"):
        read_checkpoint(path)


@torch.inference_mode()
def test_the_start_equals_the_network_it_comes_from() -> None:
    openvino = pytest.importorskip("openvino", reason="openvino runs the original network")
    if not PEER.is_file():
        pytest.skip("needs ../shared/assets/weights/person-reidentification-retail-0277.xml")
    core = openvino.Core()
    original = core.compile_model(PEER, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    ours = start_from_retail_0277(PEER, independent_stages=2).eval()
    crops = random_crops(4)

    vectors = ours(crops, torch.tensor([False, True, False, True])).numpy()

    for rgb, vector in zip(crops.numpy(), vectors, strict=True):
        expected = original(rgb[::-1][None].astype(np.float32))[0][0]  # it takes BGR
        np.testing.assert_allclose(vector, expected, atol=2e-3)  # fp16 constants, folded


def test_another_open_model_zoo_network_is_no_start() -> None:
    pytest.importorskip("openvino", reason="openvino reads the original network")
    other = PEER.with_name("person-reidentification-retail-0288.xml")
    if not other.is_file():
        pytest.skip("needs ../shared/assets/weights/person-reidentification-retail-0288.xml")

    with pytest.raises(WeightsRefused, match="another layout"):
        start_from_retail_0277(other, independent_stages=0)
