"""Who it may be while the person is still in view: said on the Live page, written nowhere.

    open views -> [the newest of each waits] -> when nothing is to be remembered: a look -> boxes

A look is the linker's own question, asked with the few pictures there are; its vectors are used
again when the view is told. It is asked only while somebody looks at live pictures.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from pipeline.run.minds import Minds
from pipeline.run.perceive import Perception
from pipeline.run.publish import Publisher
from pipeline.types import TrackKey, Tracklet
from streams.errors import NoctuleError
from streams.types import Frame

logger = logging.getLogger(__name__)

_MOST_WAITING = 64


class FirstLooks:
    """`saw` is the cameras' thread's, `told` and `look` are the memory's.

    Args:
        n_to_remember: How many told views wait: these come first.
    """

    def __init__(
        self, minds: Minds, publisher: Publisher, *, n_to_remember: Callable[[], int]
    ) -> None:
        self._minds = minds
        self._publisher = publisher
        self._n_to_remember = n_to_remember
        self._lock = threading.Lock()
        self._waiting: dict[TrackKey, Tracklet] = {}
        self._has_failed = False

    def saw(self, frames: Sequence[Frame], perception: Perception) -> None:
        """Frames were searched: of some who are in view there may be enough pictures now."""
        if not self._publisher.is_wanted:
            return
        for frame in frames:
            for view in perception.first_looks(frame.camera):
                with self._lock:
                    self._waiting.pop(view.track, None)
                    self._waiting[view.track] = view
                    if len(self._waiting) > _MOST_WAITING:
                        del self._waiting[next(iter(self._waiting))]

    def told(self, tracklet: Tracklet) -> None:
        """A part is decided now: what was to be said before is late."""
        with self._lock:
            waiting = self._waiting.get(tracklet.track)
            if waiting is not None and waiting.part <= tracklet.part:
                del self._waiting[tracklet.track]

    def look(self) -> None:
        """Say who they may be, one after the other, until there is something to remember."""
        while self._n_to_remember() == 0:
            with self._lock:
                if not self._waiting:
                    return
                view = self._waiting.pop(next(iter(self._waiting)))
            self._look_at(view)

    def _look_at(self, view: Tracklet) -> None:
        """A failure costs what would have been said; the view itself is told later, as ever."""
        try:
            link = self._minds.first_look(view)
        except (NoctuleError, RuntimeError, ValueError, MemoryError) as error:
            if not self._has_failed:
                logger.warning("nobody can say yet who is in view: %s", error)
            self._has_failed = True
            return
        self._has_failed = False
        if link is not None:
            self._publisher.may_be(view.track, link)
