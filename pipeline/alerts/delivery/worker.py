"""One channel's sender: one message at a time, patiently, on a thread of its own."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pipeline.alerts.channels_config import ChannelConfig, DeliveryConfig
from pipeline.alerts.delivery.channel import Channel, open_channel
from pipeline.alerts.delivery.message import Parcel
from pipeline.alerts.delivery.post import Post
from pipeline.alerts.delivery.within import Within
from pipeline.errors import SendFailed, SendRefused
from storage.desk.deliveries import Delivery, mark_dead, mark_failed, mark_sent
from storage.desk.sending import due_for, hasten
from storage.desk.types import DeliveryId, Purpose
from streams.backoff import Backoff

logger = logging.getLogger(__name__)

GRACE_S = 2.0
"""Beyond the channel's own limit, before the call is left alone."""
LONGEST_REST_S = 60.0
"""A channel that fails is left alone this long at most, if a message is due."""
OUTAGE_TRIES = 3
"""So many failures in a row are the channel's, not the message's."""
GREET_EVERY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a channel does.

    Attributes:
        n_failed: Failed tries since the last that succeeded.
        failing_since_us: When the first of them was, None if there is none.
        first_key: The delivery that failed then; "" if there is none.
        words: What the last failure was.
        n_given_up: Alerts, escalations and heartbeats that became dead letters since the start.
        given_up: What the last of them was told.
        is_proven: Something was delivered since the start.
        moved_s: When it last did something, by the monotonic clock.
    """

    n_failed: int = 0
    failing_since_us: int | None = None
    first_key: str = ""
    words: str = ""
    n_given_up: int = 0
    given_up: str = ""
    is_proven: bool = False
    moved_s: float = 0.0


class Worker:
    """Sends what the outbox holds for one channel; `step` is called by one thread.

    While a channel fails, one message at a time is tried, the others keep their tries. When it
    delivers again, all that waits goes out at once.
    """

    def __init__(
        self,
        config: ChannelConfig,
        post: Post,
        *,
        patience: DeliveryConfig,
        rng: np.random.Generator,
    ) -> None:
        self.config = config
        self.health = Health(moved_s=post.clock.monotonic_s())
        self._post = post
        self._n_tries = patience.tries
        self._backoff = Backoff(first_s=patience.first_pause_s, longest_s=patience.longest_pause_s)
        self._rng = rng
        self._rests_until_s = 0.0
        self._greets_at_s = 0.0
        self._channel: Channel | None = None
        self._within: Within[str] = Within(f"send {config.name}")
        self._unmarked: dict[DeliveryId, str] = {}

    def step(self) -> bool:
        """Send one message if there is one to send; whether there may be another at once."""
        clock = self._post.clock
        now_s = clock.monotonic_s()
        self.health = replace(self.health, moved_s=now_s)
        if now_s < self._rests_until_s:
            return False
        found = due_for(self._post.database, self.config.name, now_us=clock.now_us())
        if not found:
            self._greet(now_s)
            return False
        self._handle(found[0])
        return True

    def close(self) -> None:
        """Leave the channel in good order, unless a call still hangs in it."""
        channel = self._channel
        if channel is None:
            return
        try:
            self._within.call(lambda: _leave(channel), limit_s=GRACE_S * 2)
        except SendFailed as error:
            logger.info("channel %s was left without goodbye: %s", self.config.name, error)

    def _handle(self, delivery: Delivery) -> None:
        answer = self._unmarked.get(delivery.id)
        if answer is not None:  # it was sent, but the database did not take note
            self._note_sent(delivery, answer)
            return
        try:
            parcel = self._post.pack(delivery, with_picture=self.config.picture)
            answer = self._within.call(
                partial(self._send, parcel), limit_s=self.config.timeout_s + GRACE_S
            )
        except SendRefused as error:
            self._bury(delivery, str(error))
        except SendFailed as error:
            self._try_later(delivery, error)
        else:
            self._unmarked[delivery.id] = answer
            self._note_sent(delivery, answer)

    def _send(self, parcel: Parcel) -> str:
        """On a thread of `Within`, never two at a time."""
        return self._opened().send(parcel, limit_s=self.config.timeout_s)

    def _opened(self) -> Channel:
        if self._channel is None:
            self._channel = open_channel(self.config, site=self._post.site, clock=self._post.clock)
        return self._channel

    def _greet(self, now_s: float) -> None:
        """Some channels show that we are there; whether they could is not worth a word."""
        if now_s < self._greets_at_s:
            return
        self._greets_at_s = now_s + GREET_EVERY_S
        try:
            self._within.call(self._say_hello, limit_s=self.config.timeout_s + GRACE_S)
        except SendFailed as error:
            logger.debug("channel %s is not there: %s", self.config.name, error)

    def _say_hello(self) -> str:
        self._opened().greet(limit_s=self.config.timeout_s)
        return ""

    def _note_sent(self, delivery: Delivery, answer: str) -> None:
        now_us = self._post.clock.now_us()
        mark_sent(self._post.database, delivery.id, answer=answer, now_us=now_us)
        del self._unmarked[delivery.id]
        before = self.health
        self.health = replace(
            before, n_failed=0, failing_since_us=None, first_key="", words="", is_proven=True
        )
        if before.n_failed:
            logger.info("channel %s delivers again", self.config.name)
        if before.n_failed >= OUTAGE_TRIES:
            hasten(self._post.database, self.config.name, now_us=now_us)

    def _try_later(self, delivery: Delivery, error: SendFailed) -> None:
        n_failed = self.health.n_failed + 1
        self._rest(n_failed)
        self._note_failure(delivery, str(error))
        if delivery.n_tries + 1 >= self._n_tries:
            self._bury(delivery, str(error))
            return
        pause_s = self._backoff.pause_s(delivery.n_tries + 1, self._rng)
        pause_s = max(pause_s, error.retry_after_s or 0.0)
        next_us = self._post.clock.now_us() + round(pause_s * 1e6)
        mark_failed(self._post.database, delivery.id, next_try_us=next_us, answer=str(error))

    def _bury(self, delivery: Delivery, words: str) -> None:
        mark_dead(self._post.database, delivery.id, answer=words)
        logger.error(
            "channel %s: delivery %d is given up: %s; `noctule deliveries retry` tries it again",
            self.config.name,
            delivery.id,
            words,
        )
        if delivery.purpose is not Purpose.TEST:
            self.health = replace(
                self.health, n_given_up=self.health.n_given_up + 1, given_up=words
            )

    def _note_failure(self, delivery: Delivery, words: str) -> None:
        health = self.health
        if not health.n_failed:
            logger.warning("channel %s fails: %s", self.config.name, words)
        self.health = replace(
            health,
            n_failed=health.n_failed + 1,
            failing_since_us=health.failing_since_us or self._post.clock.now_us(),
            first_key=health.first_key or delivery.key,
            words=words,
        )

    def _rest(self, n_failed: int) -> None:
        rest_s = min(self._backoff.pause_s(n_failed, self._rng), LONGEST_REST_S)
        self._rests_until_s = self._post.clock.monotonic_s() + rest_s


def _leave(channel: Channel) -> str:
    channel.close()
    return ""
