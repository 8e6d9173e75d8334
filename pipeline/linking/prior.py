"""Who is likely to be seen at all, before looking: those who were seen lately.

People come back in bursts: the chance that somebody is seen again falls with the time since they
were last seen, on every scale from seconds to hours (A.-L. Barabasi, "The origin of bursts and
heavy tails in human dynamics", Nature 435, 2005). Without a scale of time, which differs from site
to site, the same is said by ranks: whoever was seen last is likelier than whoever was seen before
them. The share of the r-th of N people is proportional to r ** -RECENCY (Zipf's law).
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from storage.types import IdentityId

RECENCY = 0.7
"""0 shares evenly, 1 is Zipf's own law. Chosen on the tuning half of `benchmarks.link_days`: of 0,
0.5, 0.7 and 1 the last gave the best recall but the first wrong links; one step less was taken."""


def ratios(
    latest_first: Sequence[IdentityId], *, ruled_out: Container[IdentityId] = ()
) -> dict[IdentityId, float]:
    """How much likelier each eligible identity is than if all were equally likely; their mean is 1.

    Args:
        latest_first: All identities, the one seen last first.
        ruled_out: Identities that cannot be meant; they do not share in the prior.

    >>> ratios([IdentityId(7)])
    {7: 1.0}
    """
    eligible = [identity for identity in latest_first if identity not in ruled_out]
    weights = [rank**-RECENCY for rank in range(1, len(eligible) + 1)]
    mean = sum(weights) / max(len(weights), 1)
    return {i: weight / mean for i, weight in zip(eligible, weights, strict=True)}
