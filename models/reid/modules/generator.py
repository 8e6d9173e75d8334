"""The auxiliary modality: a picture between visible and infrared, made of each crop.

Every layer is 1x1, so what comes out is a learned grey with a tone curve per channel. MMN (Zhang
et al., "Towards a Unified Middle Modality Learning for Visible-Infrared Person
Re-Identification", ACM MM 2021) has one encoder per light, 3 -> 1 -> 1 channels, and one decoder,
1 -> 3, all of them at 1/3 before training; the greyscale variant freezes the encoder to luma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import torch
import torch.nn.functional as F
from pydantic import ConfigDict
from torch import Tensor, nn

RGB_MEAN = (123.675, 116.28, 103.53)
RGB_STD = (58.395, 57.12, 57.375)
"""ImageNet's, in 0-255: what the pictures that enter were normalised with."""
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
FIRST_WEIGHT = 1 / 3
Place = Literal["mix", "tone", "decoder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSettings:
    """How the auxiliary picture is made.

    Attributes:
        mode: "grey" turns visible pictures into luma, leaves infrared ones, and learns nothing;
            the rest of the settings is then without effect.
        decoder: One for both lights, or one per light.
        relu_after: Layers that end in a ReLU: "mix" (3 -> hidden), "tone" (hidden -> 1),
            "decoder" (1 -> 3).
        batch_norm: Whether the code is normalised before it is decoded.
        hidden: Channels after "mix".
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    mode: Literal["learned", "grey"] = "learned"
    decoder: Literal["shared", "separate"] = "shared"
    relu_after: tuple[Place, ...] = ("mix", "tone", "decoder")
    batch_norm: bool = True
    hidden: int = 1

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"hidden: expected at least 1, got {self.hidden}")


def build_generator(settings: GeneratorSettings) -> LearnedGenerator | GreyGenerator:
    """The generator of the settings; call it with normalised pictures and their light."""
    return GreyGenerator() if settings.mode == "grey" else LearnedGenerator(settings)


class LearnedGenerator(nn.Module):
    """An encoder per light and a decoder: 22 parameters in MMN's form."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        self.visible = _encoder(settings)
        self.infrared = _encoder(settings)
        self.decoder = _decoder(settings)
        self.infrared_decoder = _decoder(settings) if settings.decoder == "separate" else None

    def forward(self, pictures: Tensor, *, infrared: bool) -> Tensor:
        """Auxiliary pictures of pictures of one light.

        Args:
            pictures: (B, 3, H, W) float, normalised with ImageNet's mean and deviation.

        Returns:
            (B, 3, H, W) float, to enter where the pictures enter.
        """
        code = (self.infrared if infrared else self.visible)(pictures)  # (B, 1, H, W)
        decoder = self.decoder
        if infrared and self.infrared_decoder is not None:
            decoder = self.infrared_decoder
        return cast(Tensor, decoder(code))


class GreyGenerator(nn.Module):
    """Luma of visible pictures in all three channels; infrared pictures as they are."""

    weight: Tensor
    bias: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std, luma = (torch.tensor(each) for each in (RGB_MEAN, RGB_STD, LUMA))
        # Out of the normalisation, luma, and back into it: one linear map.
        weight = luma[None, :] * std[None, :] / std[:, None]  # (3 out, 3 in)
        self.register_buffer("weight", weight[:, :, None, None], persistent=False)
        self.register_buffer("bias", ((luma * mean).sum() - mean) / std, persistent=False)

    def forward(self, pictures: Tensor, *, infrared: bool) -> Tensor:
        """Auxiliary pictures of pictures of one light, see `LearnedGenerator.forward`."""
        return pictures if infrared else F.conv2d(pictures, self.weight, self.bias)


def _encoder(settings: GeneratorSettings) -> nn.Sequential:
    layers: list[nn.Module] = [_flat(3, settings.hidden)]
    if "mix" in settings.relu_after:
        layers.append(nn.ReLU())
    layers.append(_flat(settings.hidden, 1))
    if "tone" in settings.relu_after:
        layers.append(nn.ReLU())
    if settings.batch_norm:
        layers.append(nn.BatchNorm2d(1))
    return nn.Sequential(*layers)


def _decoder(settings: GeneratorSettings) -> nn.Sequential:
    layers: list[nn.Module] = [_flat(1, 3)]
    if "decoder" in settings.relu_after:
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def _flat(channels_in: int, channels_out: int) -> nn.Conv2d:
    """A 1x1 convolution that begins as the mean of three channels."""
    layer = nn.Conv2d(channels_in, channels_out, 1)
    nn.init.constant_(layer.weight, FIRST_WEIGHT)
    nn.init.zeros_(cast(Tensor, layer.bias))
    return layer
