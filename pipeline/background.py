"""A thread of its own for what goes on beside the main job."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Self


class Background(ABC):
    """Works on a thread while the block lasts; leaving waits until it has ended in good order.

    Args:
        name: Of the thread, for logs.
    """

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    @abstractmethod
    def _loop(self) -> None:
        """All the work; ends soon after `_stopping` is set."""
