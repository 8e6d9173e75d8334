"""Weights are filled in from files and downloads, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from models.errors import WeightsRefused, WeightsUnavailable
from models.reid.checkpoint import FORMAT, Card, read_checkpoint, write_checkpoint
from models.reid.modules.generator import GeneratorSettings
from models.reid.networks.presets import (
    architecture_fields,
)
from models.reid.networks.resnet import ResNetArchitecture
from models.training.imagenet import imagenet_start
from tests.preset_builders import BOTH, SMALL, crops, small

SHARED_WEIGHTS = Path("../shared/assets/weights/resnet50_imagenet_fp16.pth").resolve()
CARD = Card(name="tiny", stage="trained, in a test", data="none", licence="Apache-2.0")


def weights_of(stage: nn.Module) -> dict[str, Tensor]:
    layer = stage.layer
    assert isinstance(layer, nn.Module)
    return layer.state_dict()


def offline(depth: int) -> Mapping[str, Tensor]:
    raise OSError(f"no connection for resnet{depth}")


@torch.inference_mode()
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="all parts"),
        pytest.param({"generator": None, "attention": None}, id="bare"),
        pytest.param({"generator": GeneratorSettings(decoder="separate")}, id="two decoders"),
    ],
)
def test_a_weights_file_gives_back_any_residual_network(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    network, path = small(**changes), tmp_path / "tiny.safetensors"
    network.necks[0].running_var.fill_(1e6)  # type: ignore[operator]
    network.necks[0].num_batches_tracked.fill_(100_000)  # type: ignore[operator]

    write_checkpoint(path, network, CARD)
    read = read_checkpoint(path)

    pixels = crops(3, network)
    similarity = torch.cosine_similarity(network(pixels, BOTH), read.network(pixels, BOTH))
    assert similarity.min() > 0.9999  # half precision on disk
    assert read.network.architecture == network.architecture
    assert int(read.network.state_dict()["necks.0.num_batches_tracked"]) == 100_000


def test_a_weights_file_of_another_architecture_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    fields = json.dumps(architecture_fields(replace(SMALL, independent_stages=2)))
    metadata = {
        "format": FORMAT,
        "family": "resnet",
        "architecture": fields,
        "card": json.dumps({"name": "x", "stage": "trained", "data": "", "licence": ""}),
    }
    tensors = {name: t.clone() for name, t in small().state_dict().items()}

    save_file(tensors, path, metadata=metadata)
    with pytest.raises(WeightsRefused, match=r"do not fit the architecture.*independent_stages"):
        read_checkpoint(path)

    save_file(tensors, path, metadata=metadata | {"family": "transformer"})
    with pytest.raises(WeightsRefused, match=r"expected one of edge, resnet, got 'transformer'"):
        read_checkpoint(path)


def test_imagenet_fills_both_streams_from_the_download_first() -> None:
    torch.manual_seed(3)
    source = torchvision.models.resnet18(weights=None)

    start = imagenet_start(
        replace(SMALL, independent_stages=1),
        file=Path("unused"),
        download=lambda _: source.state_dict(),
    )

    assert "torchvision" in start.source
    for stream in (start.network.visible, start.network.infrared):
        stem, layer1 = (weights_of(stage) for stage in stream)
        assert torch.equal(stem["conv1.weight"], source.conv1.weight)
        assert torch.equal(layer1["1.bn2.running_var"], source.layer1[1].bn2.running_var)
    layer4 = weights_of(start.network.shared[-1])
    assert torch.equal(layer4["0.conv1.weight"], source.layer4[0].conv1.weight)


def test_without_a_download_a_file_is_taken_or_the_lack_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "resnet18.pth"
    with pytest.raises(WeightsUnavailable, match="no file was named"):
        imagenet_start(SMALL, download=offline)
    with pytest.raises(WeightsUnavailable, match="is not a file"):
        imagenet_start(SMALL, file=path, download=offline)

    state = torchvision.models.resnet18(weights=None).state_dict()
    torch.save(state, path)
    start = imagenet_start(SMALL, file=path, download=offline)

    assert start.source.startswith("resnet18.pth, sha256")
    assert torch.equal(weights_of(start.network.visible[0])["conv1.weight"], state["conv1.weight"])


def test_a_file_that_is_no_such_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"

    path.write_bytes(b"not a weights file")
    with pytest.raises(WeightsRefused, match="could not read"):
        imagenet_start(SMALL, file=path, download=offline)

    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, path)
    with pytest.raises(WeightsRefused, match=r"bn1\.weight of \(64,\), found nothing"):
        imagenet_start(SMALL, file=path, download=offline)


def test_the_known_local_file_moves_the_stride_of_bottlenecks() -> None:
    if not SHARED_WEIGHTS.is_file():
        pytest.skip("needs ../shared/assets/weights/resnet50_imagenet_fp16.pth")
    architecture = ResNetArchitecture(last_layer="attention", height_px=64, width_px=32)

    network = imagenet_start(architecture, file=SHARED_WEIGHTS, download=offline).network.eval()

    strides = {
        name: module.stride
        for name, module in network.shared.named_modules()
        if isinstance(module, nn.Conv2d) and module.stride != (1, 1)
    }
    assert {name.split("layer.")[1] for name in strides} == {"0.conv1", "0.downsample.0"}
    assert len(strides) == 4  # layer2 and layer3; the last layer keeps its map
    assert network.architecture.stride_at == "1x1"
    with torch.inference_mode():
        assert torch.isfinite(network(crops(1, network), torch.tensor([True]))).all()
