"""Networks are built as their descriptions say."""

from __future__ import annotations

import json
from functools import lru_cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
from models.training.losses.consistency import ConsistencyProjector, distribution_consistency
from tests.preset_builders import BOTH, crops, small


@lru_cache
def network_of(name: str) -> nn.Module:
    return build(preset(name)).eval()


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


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
