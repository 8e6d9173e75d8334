"""After a new network: exemplars of the old one are described anew from their pictures."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.types import Crop
from storage.database import Database
from storage.desk.interest import (
    Example,
    describe_example,
    interest_name,
    standing_interests,
)
from storage.desk.types import InterestId
from storage.errors import EvidenceDamaged, NotFound
from storage.evidence import EvidenceStore
from storage.reembedding import Outdated, count_outdated, outdated, replace_vectors
from streams.pictures import from_file

if TYPE_CHECKING:  # torch takes seconds, and every verb of the command imports this
    from models.reid.embedder import Embedder

logger = logging.getLogger(__name__)

_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Reembedded:
    """How far it has come.

    Attributes:
        n_described: Exemplars that have a vector of the network in use now.
        n_skipped: Exemplars whose picture is missing or damaged; they stay as they are.
        n_left: Exemplars that were not looked at yet.
    """

    n_described: int
    n_skipped: int
    n_left: int


class Reembedder:
    """Describes exemplars anew, newest first, some at a time. Used by one thread.

    What is done is in the database: whoever stops it in between goes on there. Pictures that
    cannot be read are passed over, and tried again by the next one that begins.

    Args:
        batch: Exemplars per step: one transaction.

    Attributes:
        n_described: Exemplars that got a vector of the network in use.
        n_skipped: Exemplars whose picture is missing or damaged.
    """

    def __init__(
        self,
        *,
        database: Database,
        evidence: EvidenceStore,
        embedder: Embedder,
        batch: int = _BATCH,
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._embedder = embedder
        self._batch = batch
        self._before: int | None = None
        self._wanted: set[tuple[InterestId, int]] = set()
        self.n_described = 0
        self.n_skipped = 0

    def step(self) -> int:
        """Look at the next few exemplars; returns how many, 0 at the end.

        Raises:
            DatabaseBusy: See `Database.write`; nothing was changed, and the next step begins there.
        """
        todo = outdated(
            self._database, model=self._embedder.model, before=self._before, limit=self._batch
        )
        if not todo:
            return self.describe_wanted()
        self.describe(todo)
        self._before = todo[-1].exemplar_id
        return len(todo)

    def describe(self, todo: Sequence[Outdated]) -> None:
        """Describe these anew, those of which there is a sound picture.

        Raises:
            DatabaseBusy: See `Database.write`; nothing was changed.
        """
        crops = {old.exemplar_id: crop for old in todo if (crop := self._crop(old)) is not None}
        vectors = self._embedder.embed(list(crops.values())).vectors
        self.n_described += replace_vectors(
            self._database, dict(zip(crops, vectors, strict=True)), model=self._embedder.model
        )
        self.n_skipped += len(todo) - len(crops)

    def describe_wanted(self) -> int:
        """Describe the next picture of a person of interest anew; returns how many, 0 at the end.

        Raises:
            DatabaseBusy: See `Database.write`; nothing was changed.
        """
        for each in standing_interests(self._database, now_us=0):  # also those that expired
            for rank, example in enumerate(each.examples):
                is_old = example.model != self._embedder.model and example.picture is not None
                if is_old and (each.id, rank) not in self._wanted:
                    self._describe_example(each.id, rank, example)
                    self._wanted.add((each.id, rank))
                    return 1
        return 0

    def _describe_example(self, interest: InterestId, rank: int, example: Example) -> None:
        from models.reid.pictures import picture_crop

        try:
            pixels = _decoded(self._evidence.get(example.picture or ""))
        except (NotFound, EvidenceDamaged) as error:
            logger.debug("%s stays as it is: %s", interest_name(interest), error)
            return
        crop = picture_crop(pixels, example.modality.value)
        vector = self._embedder.embed([crop]).vectors[0]
        model = self._embedder.model
        describe_example(self._database, interest, rank, model=model, vector=vector)

    def progress(self) -> Reembedded:
        """How far it has come; counts what is left."""
        n_left = count_outdated(self._database, model=self._embedder.model, before=self._before)
        return Reembedded(n_described=self.n_described, n_skipped=self.n_skipped, n_left=n_left)

    def _crop(self, old: Outdated) -> Crop | None:
        try:
            pixels = _decoded(self._evidence.get(old.evidence))
        except (NotFound, EvidenceDamaged) as error:
            logger.debug("exemplar %d stays as it is: %s", old.exemplar_id, error)
            return None
        return Crop(
            camera=old.camera,
            modality=old.modality,
            captured_at_us=old.captured_at_us,
            box=old.box,
            pixels=pixels,
            quality=old.quality,
        )


def _decoded(jpeg: bytes) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB.

    Raises:
        EvidenceDamaged: It is no picture.
    """
    pixels = from_file(jpeg)
    if pixels is None:
        raise EvidenceDamaged("not a picture that can be read")
    return pixels
