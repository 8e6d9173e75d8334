"""Proof that channels deliver, and an alert where one does not."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pipeline.alerts.channels_config import DeliveryConfig
from pipeline.alerts.delivery.message import Message
from pipeline.alerts.delivery.post import Post
from pipeline.alerts.delivery.queueing import deliveries_for
from pipeline.alerts.delivery.worker import GRACE_S, OUTAGE_TRIES, Worker
from storage.desk.alerts import NewAlert, alerts
from storage.desk.deliveries import mark_dead, queue
from storage.desk.handling import resolve
from storage.desk.raising import raise_alert
from storage.desk.sending import n_waiting_of, strays
from storage.desk.types import AlertId, AlertSeverity, AlertState, Purpose
from storage.errors import DeskRefused, NotFound

logger = logging.getLogger(__name__)

RULE = "delivery"
"""Name of the rule under which channels that fail are in the inbox."""
FAILING, GIVEN_UP = "channel failing", "message given up"
WHO = "deliverer"
STUCK_AFTER_S = 60.0
HOUR_US = 3_600_000_000


class Heart:
    """Queues heartbeats, and raises an alert on the other channels where one does not deliver.

    `step` is called by one thread.

    Args:
        heartbeat_s: For channels that do not say their own; 0: none.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        post: Post,
        *,
        patience: DeliveryConfig,
        heartbeat_s: float,
    ) -> None:
        self._workers = workers
        self._post = post
        self._patience = patience
        self._heartbeat_s = heartbeat_s
        self._standing: dict[str, AlertId] | None = None
        self._n_told: dict[str, int] = {}
        self._beaten: dict[str, int] = {}

    def step(self) -> None:
        """Look at every channel once."""
        standing = self._remembered()
        for worker in self._workers:
            self._beat(worker)
            self._tell_given_up(worker)
            words = self._failure(worker)
            name = worker.config.name
            if words is not None and name not in standing:
                standing[name] = self._raise_failing(worker, words)
            elif name in standing and worker.health.is_proven and words is None:
                self._resolve(standing.pop(name), name)
        self._bury_strays()

    def _remembered(self) -> dict[str, AlertId]:
        """Alerts about failing channels that nobody has closed, also of an earlier run."""
        if self._standing is None:
            found: dict[str, AlertId] = {}
            for state in (AlertState.NEW, AlertState.ACKNOWLEDGED):
                for alert in alerts(self._post.database, state=state, rule=RULE).items:
                    if alert.kind == FAILING:
                        found.setdefault(str(alert.grounds.get("channel")), alert.id)
            self._standing = found
        return self._standing

    def _beat(self, worker: Worker) -> None:
        """One heartbeat in each period; none is added while one waits."""
        config = worker.config
        period_s = self._heartbeat_s if config.heartbeat_s is None else config.heartbeat_s
        if not period_s:
            return
        now_us = self._post.clock.now_us()
        beat = now_us // round(period_s * 1e6)
        if self._beaten.get(config.name) == beat:
            return
        if not n_waiting_of(self._post.database, config.name, Purpose.HEARTBEAT):
            message = Message(
                purpose=Purpose.HEARTBEAT,
                site=self._post.site,
                sentence=f"Channel {config.name} delivers; the next proof is due in "
                f"{_span(period_s)}.",
                severity=AlertSeverity.INFO,
                began_us=now_us,
            )
            about = f"heartbeat/{round(period_s)}/{beat}"
            (new,) = deliveries_for(message, about=about, channels=[config.name])
            queue(self._post.database, new, now_us=now_us)
        self._beaten[config.name] = beat

    def _failure(self, worker: Worker) -> str | None:
        """Why the channel counts as failing, or None if it does not."""
        health, clock = worker.health, self._post.clock
        still_s = clock.monotonic_s() - health.moved_s
        if still_s > worker.config.timeout_s + GRACE_S + STUCK_AFTER_S:
            return f"its sender has not moved for {_span(still_s)}"
        if health.failing_since_us is None or health.n_failed < OUTAGE_TRIES:
            return None
        failing_s = (clock.now_us() - health.failing_since_us) / 1e6
        return health.words if failing_s >= self._patience.failing_after_s else None

    def _raise_failing(self, worker: Worker, words: str) -> AlertId:
        health, name = worker.health, worker.config.name
        return self._raise(
            name,
            kind=FAILING,
            key=f"{RULE}/{FAILING}/{name}/{health.first_key or 'stuck'}",
            sentence=f"Alerts do not reach anybody through channel {name}: {words}.",
            began_us=health.failing_since_us or self._post.clock.now_us(),
        )

    def _tell_given_up(self, worker: Worker) -> None:
        health, name = worker.health, worker.config.name
        if health.n_given_up == self._n_told.get(name, 0):
            return
        now_us = self._post.clock.now_us()
        self._raise_given_up(name, health.given_up, now_us=now_us)
        self._n_told[name] = health.n_given_up

    def _raise_given_up(self, name: str, words: str, *, now_us: int) -> None:
        """At most once an hour and channel: a receiver that likes nothing is one fault."""
        self._raise(
            name,
            kind=GIVEN_UP,
            key=f"{RULE}/{GIVEN_UP}/{name}/{now_us // HOUR_US}",
            sentence=f"A message to channel {name} was given up: {words}.",
            began_us=now_us,
        )

    def _raise(self, name: str, *, kind: str, key: str, sentence: str, began_us: int) -> AlertId:
        """An alert in the inbox and on every channel but `name`."""
        others = [worker.config.name for worker in self._workers if worker.config.name != name]
        message = Message(
            purpose=Purpose.ALERT,
            site=self._post.site,
            sentence=sentence,
            severity=AlertSeverity.CRITICAL,
            began_us=began_us,
            rule=RULE,
            kind=kind,
        )
        raised = raise_alert(
            self._post.database,
            NewAlert(
                key=key,
                rule=RULE,
                kind=kind,
                severity=AlertSeverity.CRITICAL,
                began_us=began_us,
                sentence=sentence,
                grounds={"channel": name},
            ),
            deliveries=deliveries_for(message, about=key, channels=others),
            now_us=self._post.clock.now_us(),
        )
        if raised.is_new:
            logger.error("%s `noctule deliveries list --channel %s` tells more", sentence, name)
        return raised.alert

    def _resolve(self, alert: AlertId, name: str) -> None:
        try:
            resolve(
                self._post.database,
                alert,
                made_by=WHO,
                reason=f"channel {name} delivers again",
                now_us=self._post.clock.now_us(),
            )
        except (DeskRefused, NotFound):  # an operator was quicker, or it expired
            return

    def _bury_strays(self) -> None:
        """What waits for a channel that is not in the configuration any more waits for nobody."""
        names = [worker.config.name for worker in self._workers]
        now_us = self._post.clock.now_us()
        for delivery in strays(self._post.database, names):
            words = f"no channel is called {delivery.channel} in alerts.channels"
            mark_dead(self._post.database, delivery.id, answer=words)
            if delivery.purpose is not Purpose.TEST:
                self._raise_given_up(delivery.channel, words, now_us=now_us)


def _span(duration_s: float) -> str:
    """A duration for people.

    >>> _span(86400), _span(90), _span(5)
    ('24 h', '1.5 min', '5 s')
    """
    if duration_s >= 3600:
        return f"{duration_s / 3600:.3g} h"
    return f"{duration_s / 60:.3g} min" if duration_s >= 60 else f"{duration_s:.3g} s"
