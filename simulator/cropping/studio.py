"""The renderer that crops and contact sheets are drawn with: a yard, in one band of light."""

from __future__ import annotations

from simulator.optics.bands import Band
from simulator.optics.render import Renderer
from simulator.world.backdrop import yard


def open_studio(band: Band, size_px: tuple[int, int], *, supersampling: int = 2) -> Renderer:
    """A renderer of people in the yard; close it, or use it as a context manager."""
    return Renderer(size_px=size_px, band=band, place=yard(), supersampling=supersampling)
