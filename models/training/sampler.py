"""Which crops meet in a batch: people in both lights.

A batch is a function of the seed and of its number, so that a run that was interrupted goes on with
the very batches it would have had, and any number of loading processes give the same ones.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.datasets.types import LabelledImage
from streams.errors import SourceUnreadable
from streams.types import Modality

logger = logging.getLogger(__name__)

_ByLight = dict[Modality, list[LabelledImage]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of a batch.

    Attributes:
        modality: Light that the place is for. Where the picture is visible and the place infrared,
            the picture is to be turned into pseudo-infrared.
    """

    image: LabelledImage
    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a batch is made of.

    Attributes:
        people: Identities in a batch, at least 2.
        per_modality: Crops of an identity in each light, at least 1.
        camera_diverse: Crops of one person and light come from different cameras as far as there
            are enough, for two crops of one camera share background and pose.
        visible_only_share: Share of the people of a batch who were seen in visible light only;
            their infrared places are filled from visible pictures. 0 leaves them out.
        pseudo_infrared_share: Share of the other people's infrared places that are filled so too.
    """

    people: int
    per_modality: int
    camera_diverse: bool = True
    visible_only_share: float = 0.0
    pseudo_infrared_share: float = 0.0


class Sampler:
    """Batches by number."""

    def __init__(self, images: Sequence[LabelledImage], plan: Plan) -> None:
        """Sorts people by the lights in which they were seen.

        Raises:
            SourceUnreadable: Too few people were seen in both lights for one batch.
        """
        self._plan = plan
        self._of: dict[str, _ByLight] = {}
        for image in images:
            self._of.setdefault(image.person, {}).setdefault(image.modality, []).append(image)
        self._both = sorted(p for p, seen in self._of.items() if len(seen) == len(Modality))
        visible_only = sorted(p for p, seen in self._of.items() if set(seen) == {Modality.VISIBLE})
        self._visible_only = visible_only if plan.visible_only_share > 0 else []
        self._warn(n_visible_only=len(visible_only))
        wanted = plan.people - (self._n_visible_only_at_most() if self._visible_only else 0)
        if len(self._both) < wanted:
            raise SourceUnreadable(
                f"training data: expected at least {wanted} people seen in both lights, "
                f"found {len(self._both)}; add people or lower batch.people in the recipe"
            )

    @property
    def people(self) -> list[str]:
        """Everybody who can come into a batch, sorted."""
        return sorted([*self._both, *self._visible_only])

    @property
    def batches_per_epoch(self) -> int:
        """Batches until as many crops went by as the light with more of them has.

        The definition of AGW (Ye et al., TPAMI 2021) and its descendants.
        """
        per_light = [
            sum(len(self._of[person].get(modality, ())) for person in self.people)
            for modality in Modality
        ]
        return -(-max(per_light) // (self._plan.people * self._plan.per_modality))

    def batch(self, rng: np.random.Generator) -> list[Place]:
        """One batch: person by person, visible places before infrared ones."""
        return [
            place for person in self._draw_people(rng) for place in self._places_of(person, rng)
        ]

    def _draw_people(self, rng: np.random.Generator) -> list[str]:
        share = self._plan.people * self._plan.visible_only_share
        n_visible_only = int(share) + int(rng.random() < share % 1)
        n_visible_only = min(n_visible_only, len(self._visible_only))
        drawn = rng.choice(self._both, self._plan.people - n_visible_only, replace=False)
        people = [str(person) for person in drawn]
        if n_visible_only:
            more = rng.choice(self._visible_only, n_visible_only, replace=False)
            people += [str(person) for person in more]
        return people

    def _places_of(self, person: str, rng: np.random.Generator) -> list[Place]:
        seen, n = self._of[person], self._plan.per_modality
        visible = self._pick(seen[Modality.VISIBLE], n, rng)
        places = [Place(image=image, modality=Modality.VISIBLE) for image in visible]
        if Modality.INFRARED not in seen:
            turned = self._pick(seen[Modality.VISIBLE], n, rng)
            return places + [Place(image=image, modality=Modality.INFRARED) for image in turned]
        for image in self._pick(seen[Modality.INFRARED], n, rng):
            chosen = image
            if rng.random() < self._plan.pseudo_infrared_share:
                chosen = visible[rng.integers(len(visible))]
            places.append(Place(image=chosen, modality=Modality.INFRARED))
        return places

    def _pick(
        self, images: Sequence[LabelledImage], n: int, rng: np.random.Generator
    ) -> list[LabelledImage]:
        """`n` images in random order; repeats when there are fewer than `n`."""
        shuffled = [images[i] for i in rng.permutation(len(images))]
        if self._plan.camera_diverse:
            seen: dict[str, int] = {}
            ranks = []
            for image in shuffled:
                ranks.append(seen.get(image.camera, 0))
                seen[image.camera] = ranks[-1] + 1
            shuffled = [shuffled[i] for i in np.argsort(ranks, kind="stable")]
        return [shuffled[i % len(shuffled)] for i in range(n)]

    def _n_visible_only_at_most(self) -> int:
        return min(int(self._plan.people * self._plan.visible_only_share), len(self._visible_only))

    def _warn(self, *, n_visible_only: int) -> None:
        """Says who is left out and who has too few pictures to learn much from."""
        n_infrared_only = sum(set(seen) == {Modality.INFRARED} for seen in self._of.values())
        if n_infrared_only:
            logger.warning("%d people were seen in infrared only: left out", n_infrared_only)
        if n_visible_only and not self._visible_only:
            logger.warning(
                "%d people were seen in visible light only: left out; "
                "a share of visible-only people above 0 takes them in",
                n_visible_only,
            )
        single = sum(
            any(len(images) == 1 for images in self._of[person].values()) for person in self.people
        )
        if single:
            logger.warning(
                "%d of %d people have one picture only in some light: it is repeated in batches",
                single,
                len(self.people),
            )


def rng_of(seed: int, number: int) -> np.random.Generator:
    """The generator of one batch or step; those of two numbers are independent."""
    return np.random.default_rng((seed, number))
