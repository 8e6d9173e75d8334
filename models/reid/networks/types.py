"""What every network that embeds people has in common.

A network routes each crop of a batch through the entrance of its light and keeps the order. What
it gives in production is one vector per crop; what it gives to the losses are `Parts`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn


class Architecture(Protocol):
    """What must be known to build a network that fits a weights file.

    A frozen dataclass of numbers, words, tuples of them and such dataclasses: it survives JSON.
    """

    @property
    def family(self) -> str:
        """Which networks it describes; a weights file names it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """What a network gives to the losses.

    Attributes:
        features: (S, P, B, C) float, before the batch-normalising neck: for losses of distances. S
            streams of pictures (1: originals; 2: originals, then their auxiliary pictures), P
            parts (the whole body first where there is one, then stripes from head to feet), B
            crops, C channels.
        necked: (S, P, B, C) float, after the neck: for classifiers and for retrieval. The same
            tensor as `features` in a network without a neck.
    """

    features: Tensor
    necked: Tensor


class EmbeddingNetwork(nn.Module, ABC):
    """Crops of people to vectors. Normalisation of pixels is inside; classifier heads are not.

    Attributes:
        family: Of its architecture; chosen by `models.reid.networks.presets.build`.
    """

    family: ClassVar[str]

    @property
    @abstractmethod
    def architecture(self) -> Architecture:
        """What builds the same network again."""

    @property
    @abstractmethod
    def input_hw(self) -> tuple[int, int]:
        """Height and width in pixels of the crops it takes."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of a vector."""

    @abstractmethod
    def forward_one_light(self, pixels: Tensor, *, infrared: bool) -> Tensor:
        """`forward` for a batch of one light: no branch in it depends on a tensor, for export."""

    @abstractmethod
    def forward(self, pixels: Tensor, is_infrared: Tensor) -> Tensor:
        """One vector per crop, not of unit length.

        Args:
            pixels: (B, 3, H, W) RGB in 0-255, uint8 or float; infrared repeats one channel.
            is_infrared: (B,) bool, the light of each crop.

        Returns:
            (B, D) float. Cosines of these vectors are what retrieval ranks by.

        Raises:
            ValueError: Pixels or lights have another shape or dtype.
        """

    @abstractmethod
    def parts(self, pixels: Tensor, is_infrared: Tensor) -> Parts:
        """What the losses need; arguments as in `forward`."""

    def backbone_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters that begin with the values of another network: they may move more slowly."""
        return self.parameters()

    def check(self, pixels: Tensor, is_infrared: Tensor) -> None:
        """Refuses a batch that does not fit.

        Raises:
            ValueError: Pixels or lights have another shape or dtype.
        """
        height, width = self.input_hw
        if tuple(pixels.shape[1:]) != (3, height, width):
            raise ValueError(
                f"pixels: expected (B, 3, {height}, {width}), got {tuple(pixels.shape)}"
            )
        if is_infrared.dtype != torch.bool or is_infrared.shape != pixels.shape[:1]:
            raise ValueError(
                f"is_infrared: expected ({len(pixels)},) bool, "
                f"got {is_infrared.dtype} {tuple(is_infrared.shape)}"
            )


def by_light(
    visible: Callable[[Tensor], Tensor],
    infrared: Callable[[Tensor], Tensor],
    x: Tensor,
    is_infrared: Tensor,
) -> Tensor:
    """Sends each row through the entrance of its light; rows stay in order.

    An entrance that no row needs is not run, so its parameters get no gradient and its batch
    normalisation no statistics.

    Args:
        x: (B, ...).
        is_infrared: (B,) bool.
    """
    if not is_infrared.any():
        return visible(x)
    if is_infrared.all():
        return infrared(x)
    of_visible, of_infrared = (~is_infrared).nonzero()[:, 0], is_infrared.nonzero()[:, 0]
    entered = torch.cat((visible(x[of_visible]), infrared(x[of_infrared])))
    return entered[torch.cat((of_visible, of_infrared)).argsort()]
