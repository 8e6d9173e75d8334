"""Distances between the rows of a batch, and the groups that losses choose from."""

from __future__ import annotations

import torch
from torch import Tensor


def euclidean(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances of all rows of one set to all of another.

    By differences: the usual short cut by inner products loses half the digits where rows are
    close. Equal rows are at distance 0 with a gradient of 0.

    Args:
        a: (N, C); half precision is widened.
        b: (M, C).

    Returns:
        (N, M), float32 at least.
    """
    exact = torch.promote_types(a.dtype, torch.float32)
    return torch.cdist(a.to(exact), b.to(exact), compute_mode="donot_use_mm_for_euclid_dist")


def same_person(person: Tensor) -> Tensor:
    """(N, N) bool: pairs of two rows of one person; a row is no pair with itself."""
    return (person[:, None] == person[None, :]) & ~torch.eye(
        len(person), dtype=torch.bool, device=person.device
    )


def mean_over(values: Tensor, counted: Tensor) -> Tensor:
    """Mean of the values that count; 0, with a gradient of 0, when none does.

    Args:
        values: (N,), finite where they count.
        counted: (N,) bool.
    """
    return values.masked_fill(~counted, 0).sum() / counted.sum().clamp(min=1)


def hardest(distances: Tensor, allowed: Tensor, *, far: bool) -> Tensor:
    """Largest or smallest allowed distance of each row; 0 where none is allowed.

    Args:
        distances: (N, M).
        allowed: (N, M) bool.
        far: Whether the largest is asked for.
    """
    fill = torch.finfo(distances.dtype).min if far else torch.finfo(distances.dtype).max
    masked = distances.masked_fill(~allowed, fill)
    found = masked.amax(1) if far else masked.amin(1)
    return found.masked_fill(~allowed.any(1), 0)


def centres(features: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
    """Mean row of each person.

    Args:
        features: (N, C).
        person: (N,) int.

    Returns:
        (K, C) means and (K,) persons, in ascending order.
    """
    people, place = torch.unique(person, return_inverse=True)
    sums = features.new_zeros(len(people), features.shape[1]).index_add(0, place, features)
    return sums / torch.bincount(place, minlength=len(people))[:, None], people
