"""Bodies to be drawn, where they can be: that needs anny, moderngl, EGL and the built bodies.

The first build of the bodies takes minutes, so tests that draw run when its cache is there, or when
NOCTULE_SIMULATOR_TESTS=1 asks for it.
"""

from __future__ import annotations

import importlib.util
import os

import pytest

from simulator.figures.body import BodyModel, body_cache, load_body_model
from simulator.optics.bands import Band
from simulator.optics.render import Renderer


@pytest.fixture(scope="session")
def drawing() -> None:
    """Skips what cannot be drawn here, and says why."""
    reason = _why_not()
    if reason is not None:
        pytest.skip(f"rendering tests: {reason}")


@pytest.fixture(scope="module")
def model(drawing: None) -> BodyModel:
    del drawing
    return load_body_model()


def _why_not() -> str | None:
    for package in ("anny", "moderngl"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed (extra `simulator`)"
    is_built = body_cache().is_dir() and any(body_cache().iterdir())
    if not is_built and os.environ.get("NOCTULE_SIMULATOR_TESTS") != "1":
        return f"no built bodies in {body_cache()}; NOCTULE_SIMULATOR_TESTS=1 builds them (minutes)"
    try:
        Renderer(size_px=(320, 180), band=Band.NEAR_INFRARED).close()
    except Exception as error:  # noqa: BLE001  (every driver fails in its own way)
        return f"no OpenGL through EGL: {error}"
    return None
