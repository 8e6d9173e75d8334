"""Batches as tensors: reads pictures, spoils them, stacks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from models.datasets.types import read_pixels
from models.training.augment import (
    Picture,
    augment,
    augment_plainly,
    one_channel,
    pseudo_infrared,
)
from models.training.recipe import AugmentationSettings
from models.training.sampler import Place, Sampler, rng_of
from streams.types import Modality


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Crops of known people.

    Attributes:
        pixels: (B, 3, H, W) float32 RGB 0-255, channels last in memory; infrared repeats one.
        person: (B,) int64, index into the sampler's `people`; crops of one person are together.
        is_infrared: (B,) bool.
    """

    pixels: Tensor
    person: Tensor
    is_infrared: Tensor

    def to(self, device: torch.device) -> Self:
        """The same batch on a device."""
        return type(self)(
            pixels=self.pixels.to(device, non_blocking=True),
            person=self.person.to(device),
            is_infrared=self.is_infrared.to(device),
        )

    def of_first_people(self, n: int) -> Self:
        """The crops of the first `n` people only."""
        kept = torch.isin(self.person, torch.unique_consecutive(self.person)[:n])
        return type(self)(
            pixels=self.pixels[kept],
            person=self.person[kept],
            is_infrared=self.is_infrared[kept],
        )


class Batches(TorchDataset[Batch]):
    """Batch number n of a run, the same whoever loads it and whenever."""

    def __init__(
        self,
        sampler: Sampler,
        augmentation: AugmentationSettings,
        *,
        input_hw: tuple[int, int],
        seed: int,
    ) -> None:
        self._sampler = sampler
        self._augmentation = augmentation
        self._input_hw = input_hw
        self._seed = seed
        self._index = {person: n for n, person in enumerate(sampler.people)}

    def __getitem__(self, number: int) -> Batch:
        rng = rng_of(self._seed, number)
        places = self._sampler.batch(rng)
        pictures, seen = [], []
        for place in places:
            views = self._views(place, rng)
            pictures += views
            seen += [place] * len(views)
        stacked = torch.from_numpy(np.stack(pictures))  # (B, H, W, 3)
        return Batch(
            pixels=stacked.permute(0, 3, 1, 2),
            person=torch.tensor([self._index[place.image.person] for place in seen]),
            is_infrared=torch.tensor([p.modality is Modality.INFRARED for p in seen]),
        )

    def from_to(self, first: int, end: int, *, workers: int) -> DataLoader[Batch]:
        """Batches `first` to `end` - 1 in order, prepared by this many further processes."""
        return DataLoader(
            self,
            batch_size=None,
            sampler=range(first, end),
            num_workers=workers,
            worker_init_fn=_alone,
        )

    def _views(self, place: Place, rng: np.random.Generator) -> list[Picture]:
        """One picture, or two of a visible place where the recipe asks for a second view."""
        pixels = sized(read_pixels(place.image.path), self._input_hw).astype(np.float32)
        if place.modality is not place.image.modality:
            pixels = pseudo_infrared(pixels, rng)
        views = [self._augmented(pixels, place.modality, rng)]
        if self._augmentation.second_visible_view and place.modality is Modality.VISIBLE:
            views.append(self._augmented(one_channel(pixels, rng), place.modality, rng))
        return views

    def _augmented(self, pixels: Picture, modality: Modality, rng: np.random.Generator) -> Picture:
        settings = self._augmentation
        if settings.kind == "surveillance":
            return augment(pixels, modality, rng)
        return augment_plainly(
            pixels, rng, pad_px=settings.pad_px, erase_probability=settings.erase_probability
        )


def _alone(_: int) -> None:
    """Each process has one core: threads of OpenCV would wait for each other."""
    cv2.setNumThreads(0)


def sized(pixels: npt.NDArray[np.uint8], input_hw: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A crop of any size as (H, W, 3), as the embedder does it: shrinking averages."""
    height, width = input_hw
    shrinks = pixels.shape[0] >= height and pixels.shape[1] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)
