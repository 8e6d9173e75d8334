"""What is known of one open track: where it was seen, and its best pictures, in bounded memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import numpy.typing as npt

from models.reid.crops import best, cut
from models.types import Crop
from pipeline.tracking.config import TrackingConfig
from pipeline.types import TrackKey, Tracklet
from streams.types import CameraId, Frame, Modality

Box = tuple[float, float, float, float]
_US = 1e-6
_NEIGHBOURS_US = 1_500_000
_LOW, _WIDE = 0.85, 1.35
"""Of the median height and width around, beyond which an outline is no longer the person's: legs
behind a table, two people in one box. Strides change the width by a third."""
_LEAST_NEW, _MOST_NEW = 2, 3
"""Pictures of one light that a look at an open view takes: fewer may show a lucky frame, more cost
as much as the decision itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One detection."""

    time_us: int
    box: Box
    score: float
    modality: Modality


class Gathering:
    """Rows and pictures of one track since its last part was taken.

    Memory is bounded by the rows of `part_after_s` and a few times `crops_per_part` pictures of
    each modality.

    Attributes:
        number: Of the track, within its camera and run.
        last_watched_us: When it was last detected, on the clock that stands still in pauses.
    """

    def __init__(self, camera: CameraId, number: int, config: TrackingConfig) -> None:
        self.number = number
        self.last_watched_us = 0
        self._camera = camera
        self._config = config
        self._first_seen_us: int | None = None
        self._last_seen_us = 0
        self._last_box: Box = (0.0, 0.0, 0.0, 0.0)
        self._next_crop_us = 0
        self._part = 0
        self._look_age_s = config.first_look_s
        self._looked_us = 0
        self._rows: list[_Row] = []
        self._crops: list[Crop] = []

    @property
    def key(self) -> TrackKey:
        """The same in every watch of the same footage; all parts share it."""
        return TrackKey(f"{self._camera}/{self._first_seen_us}/{self.number}")

    @property
    def last_seen_us(self) -> int:
        """Time of the newest detection, also when it is in a part that was taken."""
        return self._last_seen_us

    @property
    def last_box(self) -> Box:
        """Box of the newest detection."""
        return self._last_box

    @property
    def n_rows(self) -> int:
        """Detections since the last part."""
        return len(self._rows)

    @property
    def n_crops(self) -> int:
        """Pictures held now."""
        return len(self._crops)

    @property
    def duration_s(self) -> float:
        """From the first to the last detection since the last part; 0 if there is none."""
        return (self._rows[-1].time_us - self._rows[0].time_us) * _US if self._rows else 0.0

    @property
    def is_worth_telling(self) -> bool:
        """Whether what was gathered is a visit, or ends one of which parts were told."""
        if not self._rows:
            return False
        return self._part > 0 or self.duration_s >= self._config.min_visit_s

    def add(
        self,
        frame: Frame,
        box: npt.NDArray[np.float32],
        score: float,
        *,
        others: npt.NDArray[np.float32],
        watched_us: int,
    ) -> None:
        """One more detection, later than all before.

        Args:
            box: (4,) xyxy in pixels of the frame.
            others: (N, 4) boxes of the other people in the frame, who may stand in front.
            watched_us: Time of the frame on the clock that stands still in pauses.
        """
        x0, y0, x1, y1 = box.tolist()
        now_us = frame.captured_at_us
        if self._first_seen_us is None:
            self._first_seen_us = now_us
        self._last_seen_us = now_us
        self._last_box = (x0, y0, x1, y1)
        self.last_watched_us = watched_us
        self._rows.append(
            _Row(time_us=now_us, box=self._last_box, score=score, modality=frame.modality)
        )
        if (
            self._config.crops_per_part
            and score >= self._config.min_crop_score
            and now_us >= self._next_crop_us
        ):
            self._next_crop_us = now_us + round(self._config.crop_every_s / _US)
            self._keep(cut(frame, self._last_box, others=others))

    def _keep(self, crop: Crop) -> None:
        self._crops.append(crop)
        of_modality = [kept for kept in self._crops if kept.modality is crop.modality]
        if len(of_modality) > 4 * self._config.crops_per_part:
            others = [kept for kept in self._crops if kept.modality is not crop.modality]
            self._crops = others + best(of_modality, 2 * self._config.crops_per_part)

    def is_due(self, now_us: int) -> bool:
        """Whether a part is long enough to be handed on while the track goes on."""
        if len(self._rows) < 2:
            return False
        return (now_us - self._rows[0].time_us) * _US >= self._config.part_after_s

    def first_look(self, *, min_quality: float) -> Tracklet | None:
        """The part so far, with a few good pictures that no look before had; it goes on.

        None while it is too early, or too few pictures are good: at `first_look_s`, and each time
        that the view lasts twice as long as at the look before.

        Args:
            min_quality: Of pictures worth comparing, in [0, 1].
        """
        if self._first_seen_us is None or not self._rows or not self._config.first_look_s:
            return None
        age_s = (self._last_seen_us - self._first_seen_us) * _US
        if age_s < self._look_age_s:
            return None
        good = [
            crop
            for crop in self._crops
            if crop.captured_at_us > self._looked_us and crop.quality >= min_quality
        ]
        if len(good) < _LEAST_NEW:
            return None
        good = [crop for crop in map(self._in_outline, good) if crop.quality >= min_quality]
        if len(good) < _LEAST_NEW:
            return None
        self._look_age_s = 2 * age_s
        self._looked_us = max(crop.captured_at_us for crop in good)
        return self._tracklet(self._rows, _best_first(good, _MOST_NEW), is_last=False)

    def take_part(self) -> Tracklet:
        """What was gathered but the newest detection, while the track goes on.

        The newest one begins the next part, so that there always is a last part to tell the end.

        Raises:
            ValueError: Fewer than two detections were gathered.
        """
        if len(self._rows) < 2:
            raise ValueError(f"track {self.key}: a part needs two detections since the last one")
        newest_us = self._rows[-1].time_us
        earlier = [crop for crop in self._crops if crop.captured_at_us < newest_us]
        tracklet = self._tracklet(self._rows[:-1], self._best_of(earlier), is_last=False)
        self._part += 1
        self._rows = self._rows[-1:]
        self._crops = [crop for crop in self._crops if crop.captured_at_us >= newest_us]
        return tracklet

    def take(self) -> Tracklet:
        """What was gathered, as the last part.

        Raises:
            ValueError: Nothing was gathered.
        """
        if not self._rows:
            raise ValueError(f"track {self.key}: no detection since its last part")
        tracklet = self._tracklet(self._rows, self._best_of(self._crops), is_last=True)
        self._rows, self._crops = [], []
        return tracklet

    def _tracklet(self, rows: list[_Row], crops: tuple[Crop, ...], *, is_last: bool) -> Tracklet:
        return Tracklet(
            camera=self._camera,
            track=self.key,
            part=self._part,
            times_us=np.array([row.time_us for row in rows], dtype=np.int64),
            boxes=np.array([row.box for row in rows], dtype=np.float32),
            scores=np.array([row.score for row in rows], dtype=np.float32),
            modality=Counter(row.modality for row in rows).most_common(1)[0][0],
            crops=crops,
            is_last=is_last,
        )

    def _best_of(self, crops: list[Crop]) -> tuple[Crop, ...]:
        return _best_first([self._in_outline(crop) for crop in crops], self._config.crops_per_part)

    def _in_outline(self, crop: Crop) -> Crop:
        """The crop, of less quality where its box is suddenly lower or wider than those around."""
        around = [
            row.box
            for row in self._rows
            if abs(row.time_us - crop.captured_at_us) <= _NEIGHBOURS_US
        ]
        share = outline_quality(crop.box, around)
        return crop if share == 1 else replace(crop, quality=crop.quality * share)


def _best_first(crops: list[Crop], k: int) -> tuple[Crop, ...]:
    """Up to `k` of each light."""
    chosen = best(crops, k) if crops else []
    return tuple(sorted(chosen, key=lambda crop: (-crop.quality, crop.captured_at_us)))


def outline_quality(box: Box, around: list[Box]) -> float:
    """Share of its quality that a crop keeps, (0, 1]: 1 where its box is like those around.

    What people are hidden behind is mostly no person, and detectors box the part that is seen.

    Args:
        around: Boxes of the same person within a second or two, the box itself among them.

    >>> standing = (0.0, 0.0, 40.0, 100.0)
    >>> outline_quality((0.0, 0.0, 40.0, 50.0), [standing] * 5) < 0.4
    True
    """
    height = (box[3] - box[1]) / max(median(b[3] - b[1] for b in around), 1.0)
    width = (box[2] - box[0]) / max(median(b[2] - b[0] for b in around), 1.0)
    low = min(height / _LOW, 1.0) ** 2
    wide = min(_WIDE / max(width, 1e-6), 1.0)
    return max(low * wide, 1e-3)
