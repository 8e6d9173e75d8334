"""Datasets by name, and which one lies in a folder."""

from __future__ import annotations

from pathlib import Path

from models.datasets.folder import read_folder
from models.datasets.types import Dataset


def read_dataset(folder: Path) -> Dataset:
    """The dataset in a folder.

    Raises:
        SourceUnreadable: None that is known, or an incomplete one.
    """
    return read_folder(folder)
