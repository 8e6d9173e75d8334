"""What is known of one open track: where it was seen, and its best pictures, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.reid.crops import best, cut
from models.types import Crop
from pipeline.tracking.config import TrackingConfig
from pipeline.types import TrackKey, Tracklet
from streams.types import CameraId, Frame, Modality

Box = tuple[float, float, float, float]
_US = 1e-6


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
        self._clear()

    def _clear(self) -> None:
        self._times_us: list[int] = []
        self._boxes: list[Box] = []
        self._scores: list[float] = []
        self._modalities: Counter[Modality] = Counter()
        self._crops: dict[Modality, list[Crop]] = {}

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
        return len(self._times_us)

    @property
    def n_crops(self) -> int:
        """Pictures held now."""
        return sum(map(len, self._crops.values()))

    @property
    def duration_s(self) -> float:
        """From the first to the last detection since the last part; 0 if there is none."""
        return (self._times_us[-1] - self._times_us[0]) * _US if self._times_us else 0.0

    @property
    def is_worth_telling(self) -> bool:
        """Whether what was gathered is a visit, or continues one with a picture."""
        if not self._times_us:
            return False
        is_continued = self._part > 0 and self.n_crops > 0
        return is_continued or self.duration_s >= self._config.min_visit_s

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
        self._times_us.append(now_us)
        self._boxes.append(self._last_box)
        self._scores.append(score)
        self._modalities[frame.modality] += 1
        if (
            self._config.crops_per_part
            and score >= self._config.min_crop_score
            and now_us >= self._next_crop_us
        ):
            self._next_crop_us = now_us + round(self._config.crop_every_s / _US)
            self._keep(cut(frame, self._last_box, others=others))

    def _keep(self, crop: Crop) -> None:
        crops = self._crops.setdefault(crop.modality, [])
        crops.append(crop)
        if len(crops) > 4 * self._config.crops_per_part:
            crops[:] = best(crops, 2 * self._config.crops_per_part)

    def is_due(self, now_us: int) -> bool:
        """Whether a part is long enough to be handed on while the track goes on."""
        if not self._times_us:
            return False
        return (now_us - self._times_us[0]) * _US >= self._config.part_after_s

    def take(self) -> Tracklet:
        """What was gathered, as the next part; gathering begins anew.

        Raises:
            ValueError: Nothing was gathered.
        """
        if not self._times_us:
            raise ValueError(f"track {self.key}: no detection since its last part")
        tracklet = Tracklet(
            camera=self._camera,
            track=self.key,
            part=self._part,
            times_us=np.asarray(self._times_us, dtype=np.int64),
            boxes=np.asarray(self._boxes, dtype=np.float32),
            scores=np.asarray(self._scores, dtype=np.float32),
            modality=self._modalities.most_common(1)[0][0],
            crops=self._best_first(),
        )
        self._part += 1
        self._clear()
        return tracklet

    def _best_first(self) -> tuple[Crop, ...]:
        crops: Sequence[Crop] = [crop for kept in self._crops.values() for crop in kept]
        if not crops:
            return ()
        chosen = best(crops, self._config.crops_per_part)
        return tuple(sorted(chosen, key=lambda crop: (-crop.quality, crop.captured_at_us)))
