"""Cases and controls: who came from where after what gap, and who else could have come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.linking.topology import EDGES_S, FIRST_APART, N_CELLS, Floats, Pair, Way
from storage.transits import Journey, View
from streams.types import CameraId

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MOST_ARRIVALS = 4000
"""Whose controls are counted, evenly spread: more change nothing but the time it takes."""
_NEVER_US = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """All views as columns, N of them; each is an arrival and a departure.

    Attributes:
        camera: (N,) int64, numbers of `cameras`.
        first_us, last_us: (N,) int64.
        until_us: (N,) int64, when the person was seen next; the view's own beginning where a
            longer view of the same person surrounds it.
        before: (N,) int64, of the person's views that had begun before, the one that ended last;
            -1 if there is none.
        teaches: (N,) bool, sure and after the camera's last move.
        is_case: (N,) bool, the way from `before` to here is surely known.
    """

    cameras: tuple[CameraId, ...]
    camera: Ints
    first_us: Ints
    last_us: Ints
    until_us: Ints
    before: Ints
    teaches: Bools
    is_case: Bools

    @property
    def gaps_s(self) -> Floats:
        """(N,) from the end of the view before; meaningless where there is none."""
        return (self.first_us - self.last_us[self.before]) / 1e6

    @property
    def departs(self) -> Bools:
        """(N,) bool, teaches what follows it."""
        return self.teaches & (self.until_us > self.first_us)

    def count_cases(self, horizon_s: float) -> Floats:
        """(B, A, cells): sure transits to b from a. N_B = N_A = number of cameras."""
        counts = np.zeros((len(self.cameras), len(self.cameras), N_CELLS))
        arrivals = np.flatnonzero(self.is_case)
        gaps_s = self.gaps_s[arrivals] if len(arrivals) else np.zeros(0)
        arrivals, gaps_s = arrivals[gaps_s <= horizon_s], gaps_s[gaps_s <= horizon_s]
        sources = self.camera[self.before[arrivals]]
        np.add.at(counts, (self.camera[arrivals], sources, cells_of(gaps_s)), 1.0)
        return counts

    def count_controls(
        self, horizon_s: float, overlapping: Collection[frozenset[str]]
    ) -> tuple[Floats, Floats]:
        """(B, A, cells) people who could have come to b from a instead, each arrival weighing 1.

        Also (B,) the sum of those who could really be meant: whoever was in view elsewhere is
        counted too, but cannot be, unless the two cameras see the same ground.
        """
        n = len(self.cameras)
        counts, totals = np.zeros((n, n, N_CELLS)), np.zeros(n)
        shares = np.array(
            [[frozenset((a, b)) in overlapping for a in self.cameras] for b in self.cameras],
            np.bool_,
        ).reshape(n, n)
        for arrival in self._some_arrivals():
            now_us, b = self.first_us[arrival], self.camera[arrival]
            is_out = (self.first_us < now_us) & (self.until_us >= now_us)
            is_out &= self.last_us >= now_us - horizon_s * 1e6
            if self.before[arrival] >= 0:
                is_out[self.before[arrival]] = False
            others = np.flatnonzero(is_out)
            gaps_s = (now_us - self.last_us[others]) / 1e6
            is_eligible = (gaps_s >= 0) | shares[b, self.camera[others]]
            if not is_eligible.any():
                continue
            weight = 1 / is_eligible.sum()
            teaching = self.teaches[others]
            where = (self.camera[others[teaching]], cells_of(gaps_s[teaching]))
            np.add.at(counts[b], where, weight)
            totals[b] += weight * (is_eligible & teaching).sum()
        return counts, totals

    def _some_arrivals(self) -> Ints:
        arrivals = np.flatnonzero(self.teaches)
        arrivals = arrivals[np.argsort(self.first_us[arrivals], kind="stable")]
        n_chosen = min(len(arrivals), _MOST_ARRIVALS)
        return arrivals[np.linspace(0, len(arrivals) - 1, n_chosen).astype(np.int64)]

    def count_at_risk(self, horizon_s: float) -> Floats:
        """(A, cells): departures of a whose people were seen nowhere for at least that long.

        In cells of overlap: views of a that lasted at least that long.
        """
        counts = np.zeros((len(self.cameras), N_CELLS))
        departs = self.departs
        if not departs.any():
            return counts
        last_us, camera = self.last_us[departs], self.camera[departs]
        until_us = np.minimum(self.until_us[departs], self.last_us.max())
        out_s = np.minimum((until_us - last_us) / 1e6, horizon_s)
        in_s = (last_us - self.first_us[departs]) / 1e6
        for cell in range(N_CELLS):
            is_apart = cell >= FIRST_APART
            reaches = out_s >= EDGES_S[cell] if is_apart else in_s >= -EDGES_S[cell + 1]
            counts[:, cell] = np.bincount(camera[reaches], minlength=len(self.cameras))
        return counts

    def ways(self, stated: Mapping[Pair, tuple[float, float]]) -> dict[Pair, Way]:
        """What was seen, or stated, of each pair."""
        n_departures = np.bincount(self.camera[self.departs], minlength=len(self.cameras))
        departures = dict(zip(self.cameras, map(int, n_departures), strict=True))
        gaps: dict[Pair, list[float]] = {pair: [] for pair in stated}
        for arrival in np.flatnonzero(self.is_case):
            start, end = self.camera[self.before[arrival]], self.camera[arrival]
            gap_s = (self.first_us[arrival] - self.last_us[self.before[arrival]]) / 1e6
            gaps.setdefault((self.cameras[start], self.cameras[end]), []).append(float(gap_s))
        return {
            pair: Way(
                pair=pair,
                n_departures=departures.get(pair[0], 0),
                gaps_s=np.sort(np.array(found, np.float64)),
                stated_s=stated.get(pair),
            )
            for pair, found in gaps.items()
        }

    def arrivals_per_h(self) -> dict[CameraId, float]:
        """Sure arrivals at each camera over the time between the first and the last of all."""
        if not len(self.camera):
            return {}
        hours = max((self.last_us.max() - self.first_us.min()) / 3.6e9, 1 / 3600)
        counts = np.bincount(self.camera[self.teaches], minlength=len(self.cameras))
        return {camera: float(n / hours) for camera, n in zip(self.cameras, counts, strict=True)}


def see(journeys: Iterable[Journey]) -> Seen:
    """The columns of all journeys; only they are kept, not the views."""
    views: list[View] = []
    before: list[int] = []
    until_us: list[int] = []
    for journey in journeys:
        latest = -1
        for view in journey:
            number = len(views)
            views.append(view)
            before.append(latest)
            if latest < 0 or view.last_seen_us > views[latest].last_seen_us:
                if latest >= 0:
                    until_us[latest] = view.first_seen_us
                until_us.append(int(_NEVER_US))
                latest = number
            else:
                until_us.append(view.first_seen_us)
    teaches = [view.is_sure and view.first_seen_us >= view.camera_moved_us for view in views]
    is_case = [
        i >= 0 and teaches[i] and teaches[n] and views[i].last_seen_us >= views[n].camera_moved_us
        for n, i in enumerate(before)
    ]
    cameras = tuple(sorted({view.camera for view in views}))
    number_of = {camera: number for number, camera in enumerate(cameras)}
    return Seen(
        cameras=cameras,
        camera=np.array([number_of[view.camera] for view in views], np.int64),
        first_us=np.array([view.first_seen_us for view in views], np.int64),
        last_us=np.array([view.last_seen_us for view in views], np.int64),
        until_us=np.array(until_us, np.int64),
        before=np.array(before, np.int64),
        teaches=np.array(teaches, np.bool_),
        is_case=np.array(is_case, np.bool_),
    )


def cells_of(gaps_s: Floats) -> Ints:
    """(N,) numbers of the cells that hold (N,) gaps; see `cell_of`."""
    return np.minimum(np.searchsorted(EDGES_S, gaps_s, side="right") - 1, N_CELLS - 1)
