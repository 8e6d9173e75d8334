"""How long to wait before trying again what failed (pure)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that double, up to a bound.

    Attributes:
        first_s: Longest pause after the first failure; doubled after each further one.
        longest_s: Never longer than this.
    """

    first_s: float = 1.0
    longest_s: float = 60.0

    def pause_s(self, n_failed: int, rng: np.random.Generator) -> float:
        """Pause after the n-th failure in a row (from 1), between half and all of its length.

        The random half keeps many that failed together from coming back together ("equal jitter",
        M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015).

        >>> rng = np.random.default_rng(1)
        >>> 4 <= Backoff(first_s=2).pause_s(3, rng) <= 8
        True
        >>> 30 <= Backoff().pause_s(10_000, rng) <= 60
        True
        """
        whole_s = min(self.longest_s, self.first_s * 2.0 ** min(n_failed - 1, 60))
        return whole_s * float(rng.uniform(0.5, 1.0))
