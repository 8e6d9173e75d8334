"""Own pictures by their former address."""

from models.datasets.folder import find_crops
from models.datasets.types import LabelledImage as LabelledCrop
from models.datasets.types import fingerprint, read_pixels

__all__ = ["LabelledCrop", "find_crops", "fingerprint", "read_pixels"]
