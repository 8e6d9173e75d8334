"""Makes clean crops as bad as real ones, and the plain augmentation of published recipes.

All functions take and give (H, W, 3) float32 RGB in 0-255 and draw from the generator they are
given. Lengths are shares of the picture, so that any input size is treated alike.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from streams.types import Modality

Picture = npt.NDArray[np.float32]


MEAN_COLOUR = (123.675, 116.28, 103.53)
"""ImageNet's, which is zero to a network: what published recipes erase with."""


def augment(pixels: Picture, modality: Modality, rng: np.random.Generator) -> Picture:
    """One random bad version of a crop: far, dark, compressed, noisy, half hidden."""
    x = _frame_differently(pixels, rng)
    x = _colours(x, rng) if modality is Modality.VISIBLE else _illuminator(x, rng)
    x = _exposure(x, rng, strong=modality is Modality.INFRARED)
    x = _optics(x, rng)
    return np.clip(_hide_a_part(x, rng), 0, 255)


def augment_plainly(
    pixels: Picture, rng: np.random.Generator, *, pad_px: int, erase_probability: float
) -> Picture:
    """A random crop of the picture in a black border, a mirror, random erasing.

    The augmentation of AGW (Ye et al., TPAMI 2021) and MMN. Random erasing (Zhong et al., AAAI
    2020) tries rectangles of 2 to 40 % of the area with sides in a ratio of 0.3 to 1/0.3.
    """
    height, width = pixels.shape[:2]
    bordered = np.pad(pixels, ((pad_px, pad_px), (pad_px, pad_px), (0, 0)))
    top, left = rng.integers(0, 2 * pad_px + 1, 2)
    x = bordered[top : top + height, left : left + width]
    if rng.random() < 0.5:
        x = x[:, ::-1]
    x = x.copy()
    if rng.random() < erase_probability:
        area, ratio = rng.uniform(0.02, 0.4) * height * width, rng.uniform(0.3, 1 / 0.3)
        tall, wide = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if tall < height and wide < width:  # as published: an ill-fitting one is given up
            top, left = rng.integers(0, height - tall), rng.integers(0, width - wide)
            x[top : top + tall, left : left + wide] = MEAN_COLOUR
    return x


def one_channel(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Red, green or blue for all three: the channel augmentation of CAJ (Ye et al., ICCV 2021)."""
    return np.repeat(pixels[..., [rng.integers(3)]], 3, 2)


def pseudo_infrared(pixels: Picture, rng: np.random.Generator) -> Picture:
    """What a visible crop might look like in near infrared.

    Cloth reflects near infrared by its dye and fibre rather than by its colour: a random mix of
    channels, sometimes a random smooth function of colour in its place, gives dark cloth that turns
    bright while patterns of one dye stay together.
    """
    x = pixels / 255
    grey = np.clip(x @ (rng.dirichlet([1, 1, 1.5]) * 1.4 - 0.13).astype(np.float32), 0, 1)
    if rng.random() < 0.5:
        warp = rng.normal(0, 1, (3, 3)).astype(np.float32) * np.float32(rng.uniform(1, 3))
        mix = rng.normal(0, 0.25, 3).astype(np.float32)
        dye = np.tanh((x - x.mean((0, 1))) @ warp) @ mix
        share = np.float32(rng.uniform(0.2, 0.8))
        grey = np.clip(share * grey + (1 - share) * np.float32(rng.uniform(0.4, 0.9)) + dye, 0, 1)
    dark, bright = np.percentile(grey, (2, 98))
    grey = np.clip((grey - dark) / max(bright - dark, 0.05), 0, 1)
    grey = grey * rng.uniform(0.25, 0.95) + rng.uniform(0, 0.25)
    return np.repeat(np.clip(grey * 255, 0, 255)[..., None], 3, 2).astype(np.float32)


def _frame_differently(x: Picture, rng: np.random.Generator) -> Picture:
    """Boxes of detectors are loose, tight or off; people walk both ways."""
    height, width = x.shape[:2]
    if rng.random() < 0.5:
        x = x[:, ::-1]
    tall = rng.uniform(0.88, 1.15)
    wide = tall * rng.uniform(0.94, 1.06)
    shift_x = width * ((1 - wide) / 2 + rng.uniform(-1 / 16, 1 / 16))
    shift_y = height * ((1 - tall) / 2 + rng.uniform(-0.055, 0.055))
    matrix = np.array([[wide, 0, shift_x], [0, tall, shift_y]], np.float32)
    moved = cv2.warpAffine(
        np.ascontiguousarray(x), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.float32)


def _colours(x: Picture, rng: np.random.Generator) -> Picture:
    """One channel for all, grey, tint.

    Without colour, a visible crop is halfway to infrared.
    """
    choice = rng.random()
    if choice < 0.25:
        return one_channel(x, rng)
    if choice < 0.45:
        return np.repeat((x @ rng.dirichlet([2, 2, 2]).astype(np.float32))[..., None], 3, 2)
    if choice < 0.75:
        return x * rng.uniform(0.75, 1.25, (1, 1, 3)).astype(np.float32)
    return x


def _illuminator(x: Picture, rng: np.random.Generator) -> Picture:
    """Infrared light falls unevenly: patches, and rarely a white-hot or black-hot swap."""
    if rng.random() < 0.3:
        coarse = rng.normal(0, 1, (4, 2)).astype(np.float32)
        size = x.shape[1], x.shape[0]
        patches = _float(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC))
        x = _float(x * np.exp(0.2 * patches)[..., None])
    return _float(255 - x) if rng.random() < 0.05 else x


def _exposure(x: Picture, rng: np.random.Generator, *, strong: bool) -> Picture:
    gamma = rng.uniform(0.6, 1.6) if strong else rng.uniform(0.75, 1.35)
    x = _float(255 * (np.clip(x, 0, 255) / 255) ** gamma)
    mean = x.mean()
    return _float((x - mean) * rng.uniform(0.6, 1.35) + mean + rng.uniform(-25, 25))


def _optics(x: Picture, rng: np.random.Generator) -> Picture:
    """Distance, blur, noise and compression, in the order in which they happen."""
    height, width = x.shape[:2]
    if rng.random() < 0.7:
        scale = rng.uniform(0.1875, 0.625)  # a person of 48 to 160 pixels
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = cv2.resize(x, size, interpolation=cv2.INTER_AREA)
        x = _float(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.2:
        x = _float(cv2.GaussianBlur(x, (0, 0), rng.uniform(0.6, 2.0)))
    if rng.random() < 0.4:
        x = x + rng.normal(0, rng.uniform(2, 12), (height, width, 1)).astype(np.float32)
    if rng.random() < 0.4:
        picture = np.clip(x, 0, 255).astype(np.uint8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 86))]
        x = _float(cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR))
    return x


def _float(x: object) -> Picture:
    return np.asarray(x, np.float32)


def _hide_a_part(x: Picture, rng: np.random.Generator) -> Picture:
    """Random erasing (Zhong et al., AAAI 2020): something stands in front."""
    if rng.random() < 0.35:
        tall, wide = x.shape[:2]
        height, width = int(tall * rng.uniform(0.08, 0.39)), int(wide * rng.uniform(0.12, 0.5))
        top, left = rng.integers(0, tall - height), rng.integers(0, wide - width)
        x = x.copy()
        x[top : top + height, left : left + width] = rng.uniform(0, 255)
    return x
