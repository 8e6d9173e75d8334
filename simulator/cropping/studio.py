"""The renderers that crops and contact sheets are drawn with: one yard, one per light."""

from __future__ import annotations

from simulator.optics.bands import Band
from simulator.optics.render import Renderer
from simulator.world.backdrop import yard


def visible_renderer(size_px: tuple[int, int], *, supersampling: int = 2) -> Renderer:
    """Of colour pictures of people in the yard."""
    return Renderer(
        size_px=size_px, band=Band.VISIBLE, place=yard(), supersampling=supersampling
    )


def infrared_renderer(size_px: tuple[int, int], *, supersampling: int = 2) -> Renderer:
    """Of near-infrared pictures of people in the yard."""
    return Renderer(
        size_px=size_px, band=Band.NEAR_INFRARED, place=yard(), supersampling=supersampling
    )
