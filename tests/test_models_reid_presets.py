"""The presets by their numbers, the residual family, its start, and its weights files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from models.errors import WeightsRefused, WeightsUnavailable
from models.reid.checkpoint import FORMAT, Card, read_checkpoint, write_checkpoint
from models.reid.modules.attention import AttentionSettings
from models.reid.modules.generator import GeneratorSettings
from models.reid.modules.pooling import PoolingSettings
from models.reid.networks.presets import (
    architecture_fields,
    build,
    preset,
    preset_names,
    read_architecture,
)
from models.reid.networks.resnet import ResNetArchitecture, ResNetNetwork
from models.training.imagenet import imagenet_start
from models.training.losses.consistency import ConsistencyProjector, distribution_consistency

SHARED_WEIGHTS = Path("../shared/assets/weights/resnet50_imagenet_fp16.pth").resolve()
CARD = Card(name="tiny", stage="trained, in a test", data="none", licence="Apache-2.0")
SMALL = ResNetArchitecture(
    depth=18,
    height_px=64,
    width_px=32,
    generator=GeneratorSettings(),
    attention=AttentionSettings(),
    pooling=PoolingSettings(stripes=4),
)
BOTH = torch.tensor([True, False, True])


@lru_cache
def network_of(name: str) -> nn.Module:
    return build(preset(name)).eval()


def small(**changes: object) -> ResNetNetwork:
    torch.manual_seed(0)
    network = build(replace(SMALL, **changes))  # type: ignore[arg-type]
    assert isinstance(network, ResNetNetwork)
    with torch.no_grad():  # both lights begin alike, and would hide a crop that goes astray
        for parameter in network.infrared.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    return network.eval()


def crops(n: int, network: ResNetNetwork) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, 3, *network.input_hw), generator=generator).byte()


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def weights_of(stage: nn.Module) -> dict[str, Tensor]:
    layer = stage.layer
    assert isinstance(layer, nn.Module)
    return layer.state_dict()


def offline(depth: int) -> Mapping[str, Tensor]:
    raise OSError(f"no connection for resnet{depth}")


@pytest.mark.parametrize(
    ("name", "parts", "dimension", "input_hw", "map_hw"),
    [
        ("mmn", 4, 8192, (384, 192), (24, 12)),
        ("paper001", 4, 8192, (384, 192), (24, 12)),
        ("patent000", 5, 10240, (384, 192), (24, 12)),
        ("botnet002", 5, 10240, (384, 192), (24, 12)),
        ("caj", 1, 2048, (288, 144), (18, 9)),
    ],
)
def test_a_preset_has_the_map_the_parts_and_the_vector_of_its_description(
    name: str, parts: int, dimension: int, input_hw: tuple[int, int], map_hw: tuple[int, int]
) -> None:
    network = network_of(name)
    assert isinstance(network, ResNetNetwork)
    seen: list[torch.Size] = []
    hook = network.pooling.register_forward_hook(lambda _, x, __: seen.append(x[0].shape))

    with torch.inference_mode():
        vectors = network(crops(1, network), torch.tensor([True]))
    hook.remove()

    n_streams = 1 if name == "caj" else 2
    assert network.input_hw == input_hw
    assert seen == [(n_streams, 2048, *map_hw)]
    assert network.architecture.map_hw == map_hw
    assert network.architecture.pooling.n_parts == parts
    assert vectors.shape == (1, dimension)
    assert network.dimension == dimension


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("mmn", 23_508_032 + 9_536 + 22 + 4 * 4096, id="mmn"),
        pytest.param("paper001", 23_508_032 + 9_536 + 22 + 131_170 + 4 * 4096, id="paper001"),
        pytest.param(
            "patent000",
            23_508_032 + 9_536 + 215_808 + 1_219_584 + 28 + 131_170 + 524_386 + 5 * 4096,
            id="patent000",
        ),
        pytest.param("caj", 23_508_032 + 9_536 + 4096, id="caj"),
        pytest.param("edge", 2_098_367, id="edge"),
    ],
)
def test_a_preset_has_the_sum_of_the_parameters_of_its_parts(name: str, expected: int) -> None:
    assert n_parameters(network_of(name)) == expected


def test_self_attention_in_the_last_layer_saves_parameters() -> None:
    """Three 3x3 convolutions of 512 channels against three projections and their distances."""
    network = network_of("botnet002")
    attention = 3 * (3 * 512 * 512 + (2 * 24 - 1 + 2 * 12 - 1) * 128)

    trunk = 23_508_032 + 9_536 + 215_808 - 3 * 9 * 512 * 512 + attention

    assert n_parameters(network) == trunk + 5 * 4096
    assert n_parameters(network) < 23_508_032


@pytest.mark.parametrize(
    ("independent_stages", "cost_m"), [(0, 0.010), (1, 0.225), (2, 1.445), (3, 8.543), (5, 23.508)]
)
def test_independent_stages_cost_what_the_stages_have(
    independent_stages: int, cost_m: float
) -> None:
    with torch.device("meta"):
        network = build(
            preset("mmn", {"independent_stages": independent_stages, "generator": None})
        )
    necks = 4 * 4096

    extra = n_parameters(network) - necks - 23_508_032

    assert extra / 1e6 == pytest.approx(cost_m, abs=0.0006)


@torch.inference_mode()
def test_one_vector_ranks_like_the_sum_of_the_four_matrices() -> None:
    network = small()
    queries, gallery = crops(7, network)[:3], crops(7, network)[3:]

    def streams(pixels: Tensor, *, infrared: bool) -> tuple[Tensor, Tensor]:
        parts = network.parts(pixels, torch.full((len(pixels),), infrared)).necked
        original, auxiliary = (F.normalize(torch.cat(list(of), 1)) for of in parts)
        return original, auxiliary

    four = sum(
        q @ g.T for q in streams(queries, infrared=True) for g in streams(gallery, infrared=False)
    )
    one = (
        network(queries, torch.ones(3, dtype=torch.bool))
        @ network(gallery, torch.zeros(4, dtype=torch.bool)).T
    )

    torch.testing.assert_close(one, four, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("independent_stages", [0, 2, 5])
def test_a_mixed_batch_gives_each_crop_what_its_light_gives_alone(independent_stages: int) -> None:
    network = small(independent_stages=independent_stages)
    pixels = crops(3, network)

    together = network(pixels, BOTH)

    for n, infrared in enumerate(BOTH.tolist()):
        alone = network.forward_one_light(pixels[n : n + 1], infrared=infrared)
        torch.testing.assert_close(together[n : n + 1], alone, rtol=1e-3, atol=1e-5)


@torch.inference_mode()
def test_streams_are_the_crop_and_its_auxiliary_picture_in_order() -> None:
    network = small()
    assert network.generator is not None
    pixels, visible = crops(3, network), torch.zeros(3, dtype=torch.bool)
    plain = small(generator=None)
    plain.load_state_dict(network.state_dict(), strict=False)
    pictures = (pixels.float() - network.mean) / network.std
    auxiliary = network.generator(pictures, infrared=False) * network.std + network.mean

    parts = network.parts(pixels, visible)

    assert parts.features.shape == (2, 4, 3, 512)
    expected = (plain.parts(pixels, visible), plain.parts(auxiliary, visible))
    for n, each in enumerate(expected):
        torch.testing.assert_close(parts.features[n], each.features[0], rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(parts.necked[n], each.necked[0], rtol=1e-3, atol=1e-4)


def test_consistency_reaches_projector_generator_and_both_stems() -> None:
    network = small(generator=GeneratorSettings(relu_after=())).train()
    assert network.generator is not None
    projector = ConsistencyProjector(512)
    infrared, person = torch.tensor([False, False, True, True]), torch.tensor([0, 1, 0, 1])

    parts = network.parts(crops(4, network), infrared)
    loss = distribution_consistency(parts.features[1, 0], person, infrared, projector)
    loss.backward()  # type: ignore[no-untyped-call]

    reached = (projector, network.generator, network.visible[0], network.infrared[0])
    for module in reached:
        gradients = [p.grad for p in module.parameters()]
        assert any(g is not None and g.abs().sum() > 0 for g in gradients)


def test_channels_can_be_reduced_per_part() -> None:
    network = small(reduced=256, pooling=PoolingSettings(stripes=4, whole="full"))

    with torch.inference_mode():
        parts = network.parts(crops(2, network), torch.tensor([False, True]))

    assert parts.necked.shape == (2, 5, 2, 256)
    assert network.dimension == 5 * 256


def test_a_shipped_network_holds_no_classifier_and_its_neck_has_no_free_bias() -> None:
    network = small()

    assert not any(isinstance(module, nn.Linear) for module in network.modules())
    assert all(
        isinstance(neck, nn.BatchNorm1d) and not neck.bias.requires_grad for neck in network.necks
    )


def test_backbone_parameters_are_those_that_imagenet_knows() -> None:
    network = small()
    known = {id(p) for p in network.backbone_parameters()}

    others = {name for name, p in network.named_parameters() if id(p) not in known}

    assert len(known) == len(list(network.backbone_parameters()))
    assert {name.split(".")[0] for name in others} == {"generator", "shared", "necks"}
    assert all("attention" in name for name in others if name.startswith("shared"))


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_survives_json(name: str) -> None:
    architecture = preset(name)

    read = read_architecture(
        architecture.family, json.loads(json.dumps(architecture_fields(architecture)))
    )

    assert read == architecture


def test_a_preset_can_be_changed_and_refuses_what_it_does_not_know() -> None:
    changed = preset("paper001", {"depth": 18, "attention": None})
    assert isinstance(changed, ResNetArchitecture)
    assert (changed.depth, changed.attention, changed.generator) == (
        18,
        None,
        GeneratorSettings(relu_after=()),
    )

    with pytest.raises(ValueError, match="expected one of botnet002, caj"):
        preset("agw")
    with pytest.raises(ValueError, match="dept"):
        preset("paper001", {"dept": 18})
    with pytest.raises(ValueError, match="family"):
        read_architecture("vit", {})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"independent_stages": 4}, id="four stages"),
        pytest.param({"depth": 101}, id="depth"),
        pytest.param({"height_px": 100}, id="height"),
        pytest.param({"depth": 18, "last_layer": "attention"}, id="attention without bottleneck"),
        pytest.param({"pooling": {"stripes": 25}}, id="more stripes than rows"),
        pytest.param({"generator": {"relu": True}}, id="unknown setting inside"),
    ],
)
def test_impossible_architectures_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"expected|forbid|Unexpected|should be"):
        preset("mmn", changes)


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
