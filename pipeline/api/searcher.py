"""Who looks like this? One search at a time, a few wait; the network is loaded once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from pipeline.api.errors import Busy
from pipeline.config import SiteConfig
from pipeline.linking.centre import Centre
from pipeline.linking.evidence import Calibrated
from pipeline.linking.gallery import mean_look
from pipeline.searching import Found, centre_of_site, search
from storage.database import Database
from storage.gallery import Part
from streams.errors import NoctuleError
from streams.types import Modality

if TYPE_CHECKING:
    from models.reid.embedder import Embedder

logger = logging.getLogger(__name__)

MOST_WAITING = 8
_WAIT_S = 60.0
_CENTRE_FOR_S = 600.0
LightWord = Literal["auto", "visible", "infrared"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Described:
    """How somebody looks.

    Attributes:
        vector: (D,) float32, unit length.
    """

    model: str
    modality: Modality
    vector: npt.NDArray[np.float32]


class Searcher:
    """Threads may share it; what it needs is loaded at the first search, or by `warm_up`."""

    def __init__(self, config: SiteConfig, database: Database) -> None:
        self._config = config
        self._database = database
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_WAITING)
        self._warming = threading.Lock()
        self._is_warming = False
        self._loaded: tuple[Embedder, Calibrated] | None = None
        self._centre: tuple[float, Centre] | None = None

    def search(
        self, pictures: Sequence[npt.NDArray[np.uint8]], *, light: LightWord, part: Part
    ) -> tuple[Found, tuple[Modality, ...]]:
        """People of `part` who look like the one in the pictures, and the pictures' lights.

        Args:
            pictures: (H, W, 3) uint8 RGB each, cropped to one person; at least one.

        Raises:
            Busy: Too many search at once.
        """
        with self._queued():
            return self._search(pictures, light, part)

    def describe(self, pixels: npt.NDArray[np.uint8], *, light: LightWord) -> Described:
        """How the person in a picture looks, for the network in use.

        Raises:
            Busy: Too many search at once.
        """
        from models.reid.pictures import picture_crop

        with self._queued():
            embedder, _ = self._load()
            crop = picture_crop(pixels, light)
            embedded = embedder.embed([crop])
        return Described(model=embedder.model, modality=crop.modality, vector=embedded.vectors[0])

    @contextmanager
    def _queued(self) -> Iterator[None]:
        """Wait for one's turn, if few enough do: who waits holds one of the server's threads."""
        if not self._places.acquire(blocking=False):
            raise Busy("too many search at once; try again in some seconds")
        try:
            if not self._turn.acquire(timeout=_WAIT_S):
                raise Busy("searches take too long at the moment; try again in a minute")
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def warm_up(self) -> None:
        """Begin to load the network, which takes a gigabyte, so that the first search does not
        wait for it: once the pages are served, or when somebody opens the page of searching."""
        with self._warming:
            if self._is_warming or self._loaded is not None:
                return
            self._is_warming = True
        threading.Thread(target=self._warm, name="load", daemon=True).start()

    @property
    def is_loaded(self) -> bool:
        """Whether a search would begin at once."""
        return self._loaded is not None

    def _warm(self) -> None:
        try:
            with self._turn:
                self._load()
        except NoctuleError as error:
            logger.warning("searching by picture is not ready: %s", error)
        finally:
            with self._warming:
                self._is_warming = False

    def _search(
        self, pictures: Sequence[npt.NDArray[np.uint8]], light: LightWord, part: Part
    ) -> tuple[Found, tuple[Modality, ...]]:
        from models.reid.pictures import picture_crop

        embedder, calibration = self._load()
        crops = [picture_crop(pixels, light) for pixels in pictures]
        found = search(
            mean_look(embedder.embed(crops)),
            database=self._database,
            storage=self._config.storage,
            model=embedder.model,
            calibration=calibration,
            config=self._config.linking,
            part=part,
            centre=self._centre_now(embedder.model),
        )
        return found, tuple(crop.modality for crop in crops)

    def _centre_now(self, model: str) -> Centre:
        """What people of the site have in common, asked for now and then: it changes slowly."""
        now_s = time.monotonic()
        if self._centre is None or now_s - self._centre[0] > _CENTRE_FOR_S:
            centre = centre_of_site(self._database, model=model, config=self._config.linking)
            self._centre = now_s, centre
        return self._centre[1]

    def _load(self) -> tuple[Embedder, Calibrated]:
        if self._loaded is None:
            from models.reid.calibration import load_calibration  # torch takes seconds
            from models.reid.embedder import load_embedder

            embedder = load_embedder(self._config.embedder)
            calibration = load_calibration(self._config.embedder, model=embedder.model)
            self._loaded = embedder, calibration
        return self._loaded
