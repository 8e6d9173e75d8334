"""Motion blur: a picture is the mean of what the open shutter sees."""

from __future__ import annotations

from collections.abc import Callable

from simulator.optics.render import Rendering


def blurred(draw: Callable[[float], Rendering], n_exposures: int) -> Rendering:
    """One rendering of a shutter that stands open, in linear light.

    The mask is that of the middle of the exposure: the truth says where people are at the time
    of the frame, not where their blur reaches.

    Args:
        draw: What is seen at a share of the exposure in [-0.5, 0.5]; 0 is the time of the frame.
            The caller poses people at the frame's time plus the share of the shutter time, which
            is 1/25 s at most at night and so short by day that one exposure will do.
        n_exposures: How many are averaged; 1 is a sharp picture.

    Raises:
        ValueError: If `n_exposures` is less than 1.
    """
    if n_exposures < 1:
        raise ValueError(f"n_exposures: expected 1 or more, got {n_exposures}")
    middle = n_exposures // 2
    renderings = [draw((k - middle) / n_exposures) for k in range(n_exposures)]
    light = renderings[0].light.copy()
    for rendering in renderings[1:]:
        light += rendering.light
    light /= n_exposures
    return Rendering(light=light, identities=renderings[middle].identities)
