"""How long to wait before the next try (pure)."""

from __future__ import annotations

import numpy as np


def pause_s(n_failed: int, *, first_s: float, longest_s: float, rng: np.random.Generator) -> float:
    """Seconds to wait after the `n_failed`-th failure: doubling, with a bound, half of it random.

    The random half keeps many that failed together from coming back together ("equal jitter",
    M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015).

    >>> rng = np.random.default_rng(1)
    >>> 4 <= pause_s(3, first_s=2, longest_s=600, rng=rng) <= 8
    True
    >>> 300 <= pause_s(10_000, first_s=2, longest_s=600, rng=rng) <= 600
    True
    """
    whole = min(longest_s, first_s * 2.0 ** min(n_failed - 1, 60))
    return whole * float(rng.uniform(0.5, 1.0))
