"""The one way to a detector."""

from __future__ import annotations

from models.config import DetectorConfig
from models.detect.types import Detector
from models.weights import Progress, obtain


def load_detector(config: DetectorConfig, *, progress: Progress | None = None) -> Detector:
    """Fetch the weights if they are not here yet, check them and load them.

    Args:
        progress: Told about a download, if one is needed.

    Raises:
        WeightsUnavailable: No source of the weights answered.
        WeightsRefused: The file has the wrong sha256, or is no detector of people.
        ConfigInvalid: The device that was asked for is not there.
    """
    weights = obtain(config.weights, progress=progress)
    from models.detect.yolo import open_yolo  # torch takes seconds: not at import

    return open_yolo(weights, config)
