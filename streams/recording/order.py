"""Times at which pictures are to be decoded, from those at which they are shown (pure).

RTP tells only the latter. MP4 wants both, and decoding times that grow.
"""

from __future__ import annotations

import heapq

REORDERED = 4
"""Pictures that may be sent before one that is shown before them; encoders' pyramids need two."""


class DecodeOrder:
    """Decoding times of one file's pictures, in the order in which they are sent.

    The k-th is the (k - `depth`)-th smallest showing time so far, which is never after its own
    picture's as long as at most `depth` pictures are sent before one that is shown before them; the
    first ones count up by one tick.

    >>> order = DecodeOrder(depth=2)
    >>> [order.decoded_at(shown) for shown in (0, 400, 200, 100, 300, 500)]
    [-2, -1, 0, 100, 200, 300]
    >>> [DecodeOrder(depth=0).decoded_at(7)]
    [7]
    """

    def __init__(self, *, depth: int) -> None:
        self._depth = depth
        self._first: int | None = None
        self._n = 0
        self._shown: list[int] = []
        self._last: int | None = None

    def decoded_at(self, shown_at: int) -> int:
        """Of the next picture, later than the one before."""
        if self._first is None:
            self._first = shown_at
        heapq.heappush(self._shown, shown_at)
        if self._n < self._depth:
            at = self._first - self._depth + self._n
        else:
            at = heapq.heappop(self._shown)
        self._n += 1
        if self._last is not None:
            at = max(at, self._last + 1)
        self._last = at
        return at
