"""People who stand near, behind or before the one that a crop is of; the same for everybody."""

from __future__ import annotations

from simulator.figures.body import BodyModel
from simulator.figures.company import character
from simulator.figures.people import Person, dress
from simulator.optics.render import Renderer

N_STRANGERS = 16
_SEED = 90_210
_FIRST_IDENTITY = 2


class Wardrobe:
    """Strangers dressed when first asked for."""

    def __init__(self, model: BodyModel) -> None:
        self._model = model
        self._dressed: dict[int, Person] = {}

    def stranger(self, k: int) -> Person:
        """Stranger `k`, 0 to `N_STRANGERS` - 1."""
        if k not in self._dressed:
            looks = character(k, seed=_SEED).looks
            self._dressed[k] = dress(self._model, _FIRST_IDENTITY + k, looks)
        return self._dressed[k]


class Strangers:
    """The strangers that one renderer knows."""

    def __init__(self, wardrobe: Wardrobe, renderer: Renderer) -> None:
        self._wardrobe = wardrobe
        self._renderer = renderer
        self._known: set[int] = set()

    def step_in(self, k: int) -> Person:
        """Stranger `k`, known to the renderer from now on."""
        if k not in self._known:
            self._renderer.add(self._wardrobe.stranger(k))
            self._known.add(k)
        return self._wardrobe.stranger(k)
