"""All channels at once: a thread for each, and one that looks after them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from pipeline.alerts.channels_config import ChannelConfig, DeliveryConfig
from pipeline.alerts.delivery.heart import Heart
from pipeline.alerts.delivery.post import Post
from pipeline.alerts.delivery.worker import Health, Worker
from pipeline.errors import SendFailed
from streams.errors import NoctuleError, Transient

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
HEART_EVERY_S = 1.0
AFTER_TROUBLE_S = 5.0


class Deliverer:
    """Sends what the outbox holds while the block lasts. There should be one per database.

    What is being sent when the block is left is finished first. Trouble with the database is
    logged and waited for: nothing here ends by itself.
    """

    def __init__(
        self,
        channels: Sequence[ChannelConfig],
        post: Post,
        *,
        patience: DeliveryConfig,
        heartbeat_s: float,
        rng: np.random.Generator | None = None,
    ) -> None:
        seeds = (rng or np.random.default_rng()).spawn(len(channels))
        self._workers = [
            Worker(config, post, patience=patience, rng=seed)
            for config, seed in zip(channels, seeds, strict=True)
        ]
        self._heart = Heart(self._workers, post, patience=patience, heartbeat_s=heartbeat_s)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._work, args=(worker,), name=f"deliver {worker.config.name}", daemon=True
            )
            for worker in self._workers
        ]
        self._threads.append(threading.Thread(target=self._look, name="heartbeat", daemon=True))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def health(self) -> dict[str, Health]:
        """How each channel does, by its name."""
        return {worker.config.name: worker.health for worker in self._workers}

    def check(self) -> None:
        """Make sure that every thread still lives.

        Raises:
            SendFailed: One was ended by a fault of ours; leave the block and begin anew.
        """
        ended = [thread.name for thread in self._threads if not thread.is_alive()]
        if ended:
            raise SendFailed(f"{', '.join(ended)}: ended by a fault, whose trace is on stderr")

    def _work(self, worker: Worker) -> None:
        while not self._stopping.is_set():
            self._patiently(worker.step, LOOK_EVERY_S, what=f"channel {worker.config.name}")
        worker.close()

    def _look(self) -> None:
        def step() -> bool:
            self._heart.step()
            return False

        while not self._stopping.is_set():
            self._patiently(step, HEART_EVERY_S, what="looking after channels")

    def _patiently(self, step: Callable[[], bool], pause_s: float, *, what: str) -> None:
        """One step, and a pause unless it says that there is more to do."""
        try:
            if step():
                return
        except Transient as error:
            logger.info("%s: %s", what, error)
            pause_s = AFTER_TROUBLE_S
        except NoctuleError as error:
            logger.error("%s: %s", what, error)
            pause_s = AFTER_TROUBLE_S
        self._stopping.wait(pause_s)
