"""Generator, attention, pooling and self-attention: sizes, limits, and plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.reid.modules.attention import (
    AttentionSettings,
    CbamMask,
    GuidedAttention,
    instance_norm,
)
from models.reid.modules.botnet import PlaceAttention
from models.reid.modules.generator import (
    RGB_MEAN,
    RGB_STD,
    GeneratorSettings,
    GreyGenerator,
    LearnedGenerator,
    Place,
    build_generator,
)
from models.reid.modules.pooling import Pooling, PoolingSettings, generalised_mean, stripe_rows


class Constant(nn.Module):
    """A mask of one weight everywhere."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        return torch.full_like(x, self.weight)


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(GeneratorSettings(), 22, id="mmn"),
        pytest.param(GeneratorSettings(relu_after=()), 22, id="paper"),
        pytest.param(GeneratorSettings(decoder="separate"), 28, id="two decoders"),
        pytest.param(GeneratorSettings(batch_norm=False), 18, id="no norm"),
        pytest.param(GeneratorSettings(hidden=2), 32, id="wider"),
        pytest.param(GeneratorSettings(mode="grey"), 0, id="grey"),
    ],
)
def test_a_generator_has_the_parameters_of_its_form(
    settings: GeneratorSettings, expected: int
) -> None:
    assert n_parameters(build_generator(settings)) == expected


def test_a_learned_generator_begins_as_the_mean_of_the_channels() -> None:
    generator = LearnedGenerator(GeneratorSettings(relu_after=(), batch_norm=False))
    pictures = maps(2, 3, 4, 5)

    auxiliary = generator(pictures, infrared=False)

    expected = pictures.mean(1, keepdim=True).expand(-1, 3, -1, -1) / 9  # two more thirds
    torch.testing.assert_close(auxiliary, expected)


@pytest.mark.parametrize("place", ["mix", "tone", "decoder"])
def test_a_relu_after_any_layer_stops_what_is_below_zero(place: Place) -> None:
    settings = GeneratorSettings(relu_after=(place,), batch_norm=False)
    dark = -torch.ones(1, 3, 2, 2)

    assert build_generator(settings)(dark, infrared=True).abs().max() == 0
    assert build_generator(settings)(-dark, infrared=True).min() > 0


@pytest.mark.parametrize("decoder", ["shared", "separate"])
def test_each_light_trains_its_own_encoder_and_its_decoder(decoder: str) -> None:
    settings = GeneratorSettings(decoder=decoder)  # type: ignore[arg-type]
    generator = LearnedGenerator(settings)

    generator(maps(2, 3, 4, 4).abs(), infrared=True).square().sum().backward()

    assert all(p.grad is None for p in generator.visible.parameters())
    assert all(p.grad is not None for p in generator.infrared.parameters())
    is_shared = decoder == "shared"
    assert all((p.grad is not None) is is_shared for p in generator.decoder.parameters())


def test_grey_is_luma_in_visible_light_and_leaves_infrared() -> None:
    rgb = np.random.default_rng(0).uniform(0, 255, (2, 3, 4, 5))
    shape = (1, 3, 1, 1)
    mean, std = np.reshape(RGB_MEAN, shape), np.reshape(RGB_STD, shape)
    pictures = torch.from_numpy((rgb - mean) / std).float()

    grey = GreyGenerator()(pictures, infrared=False).numpy() * std + mean

    luma = 0.299 * rgb[:, 0] + 0.587 * rgb[:, 1] + 0.114 * rgb[:, 2]
    np.testing.assert_allclose(grey, np.repeat(luma[:, None], 3, 1), atol=1e-3)
    assert torch.equal(GreyGenerator()(pictures, infrared=True), pictures)


@pytest.mark.parametrize(("channels", "expected"), [(1024, 131_072), (2048, 524_288)])
def test_a_cbam_mask_costs_what_its_reduction_says(channels: int, expected: int) -> None:
    attention = GuidedAttention(channels, AttentionSettings())

    assert n_parameters(attention) == expected + 2 * 7 * 7


@pytest.mark.parametrize("second_mask", ["normed", "original"])
def test_guided_attention_is_f_at_a_mask_of_one_and_its_instance_norm_at_zero(
    second_mask: str,
) -> None:
    attention = GuidedAttention(4, AttentionSettings(second_mask=second_mask))  # type: ignore[arg-type]
    x = maps(2, 4, 6, 3) * 5 + 2

    attention.mask = Constant(1.0)
    torch.testing.assert_close(attention(x), x)

    attention.mask = Constant(0.0)
    torch.testing.assert_close(attention(x), nn.InstanceNorm2d(4, eps=1e-5)(x))


def test_guided_attention_weighs_the_instance_norm_by_its_own_mask() -> None:
    torch.manual_seed(0)
    own, of_original = (
        GuidedAttention(16, AttentionSettings(second_mask=m)) for m in ("normed", "original")
    )
    of_original.load_state_dict(own.state_dict())
    x = maps(2, 16, 6, 3) * 3
    normed = instance_norm(x, epsilon=1e-5)

    mask, mask_of_normed = own.mask(x), own.mask(normed)

    torch.testing.assert_close(own(x), mask * x + (1 - mask_of_normed) * normed)
    torch.testing.assert_close(of_original(x), mask * x + (1 - mask) * normed)
    assert not torch.allclose(own(x), of_original(x))


def test_a_mask_alone_is_plain_cbam() -> None:
    torch.manual_seed(0)
    attention = GuidedAttention(16, AttentionSettings(form="mask"))
    x = maps(2, 16, 6, 3)

    torch.testing.assert_close(attention(x), attention.mask(x) * x)


def test_a_cbam_mask_equals_a_plain_loop() -> None:
    torch.manual_seed(0)
    cbam = CbamMask(8, reduction=4, kernel=3)
    x = maps(1, 8, 4, 5)
    narrow, widen = (
        m.weight.detach().numpy()[:, :, 0, 0]
        for m in (cbam.of_channels.narrow, cbam.of_channels.widen)
    )
    kernel = cbam.of_places.weight.detach().numpy()[0]
    f = x.numpy()[0]

    def sigmoid(value: float) -> float:
        return 1 / (1 + math.exp(-value))

    scores = sum(
        widen @ np.maximum(narrow @ pooled, 0) for pooled in (f.mean((1, 2)), f.max((1, 2)))
    )
    channels = np.array([sigmoid(s) for s in scores])
    weighed = f * channels[:, None, None]
    padded = np.pad(np.stack((weighed.mean(0), weighed.max(0))), ((0, 0), (1, 1), (1, 1)))
    expected = np.empty_like(f)
    for i in range(4):
        for j in range(5):
            place = sigmoid(float((kernel * padded[:, i : i + 3, j : j + 3]).sum()))
            expected[:, i, j] = channels * place

    np.testing.assert_allclose(cbam(x).detach().numpy()[0], expected, rtol=1e-5)


def test_generalised_mean_runs_from_the_mean_to_the_maximum() -> None:
    x = maps(2, 3, 4, 4).sigmoid()

    torch.testing.assert_close(generalised_mean(x, power=1), x.mean((2, 3)))
    torch.testing.assert_close(generalised_mean(x, power=3), (x**3).mean((2, 3)) ** (1 / 3))
    torch.testing.assert_close(generalised_mean(x, power=80), x.amax((2, 3)), rtol=0.05, atol=0)


@pytest.mark.parametrize("power", [3.0, 10.0])
def test_generalised_mean_of_a_silent_or_negative_map_has_finite_gradients(power: float) -> None:
    x = torch.zeros(1, 2, 3, 3)
    x[0, 1] = -1
    x.requires_grad_()

    generalised_mean(x, power=power).sum().backward()  # type: ignore[no-untyped-call]

    assert x.grad is not None
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("n_stripes", [1, 4, 5, 6, 24])
def test_stripes_are_disjoint_and_cover_the_map(n_stripes: int) -> None:
    bounds = [stripe_rows(n, height=24, n_stripes=n_stripes) for n in range(n_stripes)]

    assert [row for top, bottom in bounds for row in range(top, bottom)] == list(range(24))


def test_parts_are_the_whole_body_then_stripes_from_the_top() -> None:
    x = maps(2, 3, 8, 4)
    pooling = Pooling(PoolingSettings(kind="mean", whole="full", stripes=4))

    parts = pooling(x)

    assert parts.shape == (5, 2, 3)
    torch.testing.assert_close(parts[0], x.mean((2, 3)))
    for n in range(4):
        torch.testing.assert_close(parts[1 + n], x[:, :, 2 * n : 2 * n + 2].mean((2, 3)))


def test_the_halved_whole_sees_means_of_four_places() -> None:
    x = maps(1, 2, 4, 3)
    pooling = Pooling(PoolingSettings(kind="maximum", whole="halved", stripes=0))

    (whole,) = pooling(x)

    cells = [x[:, :, i : i + 2, j : j + 2].mean((2, 3)) for i in (0, 2) for j in (0, 2)]
    torch.testing.assert_close(whole, torch.stack(cells).amax(0))


def test_self_attention_equals_a_plain_loop_over_places() -> None:
    torch.manual_seed(0)
    height, width, heads, d = 3, 2, 2, 4
    attention = PlaceAttention(heads * d, heads=heads, map_hw=(height, width)).double()
    x = maps(1, heads * d, height, width).double()
    packed = attention.project(x)[0].detach().numpy().reshape(3, heads, d, height, width)
    query, key, value = packed
    rows, columns = (e.detach().numpy() for e in (attention.rows, attention.columns))

    expected = np.empty((heads, d, height, width))
    places = [(i, j) for i in range(height) for j in range(width)]
    for h in range(heads):
        for i, j in places:
            logits = [
                query[h, :, i, j]
                @ (key[h, :, k, m] + rows[k - i + height - 1] + columns[m - j + width - 1])
                / math.sqrt(d)
                for k, m in places
            ]
            weights = np.exp(logits) / np.exp(logits).sum()
            seen = sum(w * value[h, :, k, m] for w, (k, m) in zip(weights, places, strict=True))
            expected[h, :, i, j] = seen

    np.testing.assert_allclose(
        attention(x).detach().numpy()[0], expected.reshape(-1, height, width), rtol=1e-9
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: GeneratorSettings(hidden=0), id="no hidden channel"),
        pytest.param(lambda: AttentionSettings(after=()), id="attention nowhere"),
        pytest.param(lambda: AttentionSettings(after=(5,)), id="attention after no layer"),
        pytest.param(lambda: AttentionSettings(kernel=4), id="even kernel"),
        pytest.param(lambda: PoolingSettings(stripes=0), id="no part"),
        pytest.param(lambda: PoolingSettings(power=0.5), id="root of a root"),
        pytest.param(lambda: PlaceAttention(10, heads=4, map_hw=(2, 2)), id="heads"),
    ],
)
def test_impossible_settings_are_refused_in_words(make: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()  # type: ignore[operator]
