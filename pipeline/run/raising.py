"""Alerts on their way into the database, with what is to be sent about them."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.alerts.delivery.message import Message
from pipeline.alerts.delivery.queueing import deliveries_for
from pipeline.alerts.escalation import overdue
from pipeline.alerts.settings import RuleSettings
from pipeline.config import SiteConfig
from storage.database import Database
from storage.desk.alerts import Alert, NewAlert, unacknowledged
from storage.desk.deliveries import NewDelivery
from storage.desk.raising import escalate, raise_alert
from storage.desk.types import AlertSeverity, Purpose
from storage.errors import NotFound
from storage.types import IdentityId, person_name
from streams.clock import Clock
from streams.errors import Transient
from streams.types import CameraId

logger = logging.getLogger(__name__)

MOST_WAITING = 5000
FILE = "alerts.json"
_RETRY_S = 5.0
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """An alert that is not in the database yet.

    Attributes:
        channels: That are to be told.
    """

    alert: NewAlert
    channels: tuple[str, ...]
    now_us: int


class Raising:
    """Writes alerts in order; they wait while the database is away. Used by one thread.

    What still waits at the end is kept in a file in the spool's folder, and written first at the
    next start.

    Args:
        live: Whether cameras are; alerts of recordings are sent only if `tell_recorded` says so.
    """

    def __init__(self, config: SiteConfig, database: Database, *, live: bool, clock: Clock) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._sends = live or config.alerts.tell_recorded
        self._all = tuple(channel.name for channel in config.alerts.channels)
        self._file = config.storage.spool / FILE
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._retry_s = 0.0
        for waiting in _read(self._file):
            self._waiting[waiting.alert.key] = waiting

    def put(self, alert: NewAlert, *, channels: Sequence[str], now_us: int) -> None:
        """Let an alert be written; the newest word about the same one counts.

        Args:
            channels: To be told; () stands for all.
        """
        told = tuple(channels) or self._all
        before = self._waiting.get(alert.key)
        if before is not None:
            alert = replace(
                alert,
                picture=alert.picture or before.alert.picture,
                picture_camera=alert.picture_camera or before.alert.picture_camera,
            )
        self._waiting[alert.key] = _Waiting(
            alert=alert, channels=told if self._sends else (), now_us=now_us
        )
        if len(self._waiting) > MOST_WAITING:
            lost, _ = self._waiting.popitem(last=False)
            logger.error("too many alerts wait for the database; lost: %s", lost)

    def flush(self, *, force: bool = False) -> None:
        """Write what waits; what cannot be written now goes on waiting."""
        if not self._waiting or (not force and self._clock.monotonic_s() < self._retry_s):
            return
        while self._waiting:
            key, waiting = next(iter(self._waiting.items()))
            try:
                self._write(waiting)
            except Transient as error:
                self._retry_s = self._clock.monotonic_s() + _RETRY_S
                logger.warning("%d alerts wait for the database: %s", len(self._waiting), error)
                return
            del self._waiting[key]
        self._file.unlink(missing_ok=True)

    def escalate(self, rules: Sequence[RuleSettings]) -> None:
        """Tell once more what nobody acknowledged in time.

        Args:
            rules: That hold now; some have a patience and channels of their own.
        """
        of_rule_s = {r.name: r.escalate_after_s for r in rules if r.escalate_after_s is not None}
        channels = {rule.name: rule.channels for rule in rules}
        default_s = self._config.alerts.escalate_after_s
        patient = [seconds for seconds in (default_s, *of_rule_s.values()) if seconds > 0]
        if not patient or not self._sends:
            return
        now_us = self._clock.now_us()
        try:
            new = unacknowledged(
                self._database, older_than_us=now_us - int(min(patient) * 1e6), limit=_AT_ONCE
            )
            for alert in overdue(new, now_us=now_us, after_s=default_s, of_rule_s=of_rule_s):
                told = channels.get(alert.rule, ()) or self._all
                deliveries = self._deliveries(alert, Purpose.ESCALATION, told)
                if escalate(self._database, alert.id, deliveries=deliveries, now_us=now_us):
                    logger.info("alert A%d was escalated: nobody acknowledged it", alert.id)
        except Transient as error:
            logger.info("alerts are escalated later: %s", error)

    def close(self) -> None:
        """Write what waits, or keep it for the next start."""
        self.flush(force=True)
        if not self._waiting:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self._file.with_suffix(".part")
            unfinished.write_text(json.dumps([asdict(each) for each in self._waiting.values()]))
            unfinished.replace(self._file)
        except OSError as error:
            logger.error("%d alerts are lost: %s", len(self._waiting), error.strerror)
        else:
            logger.warning("%d alerts wait in %s", len(self._waiting), self._file)

    def _write(self, waiting: _Waiting) -> None:
        alert = waiting.alert
        try:
            self._raise(alert, waiting)
        except NotFound:  # the person was erased meanwhile
            logger.info("an alert speaks of nobody any more: %s", alert.key)
            self._raise(replace(alert, identity=None, candidate=None), waiting)

    def _raise(self, alert: NewAlert, waiting: _Waiting) -> None:
        deliveries = self._deliveries(alert, Purpose.ALERT, waiting.channels)
        raised = raise_alert(self._database, alert, deliveries=deliveries, now_us=waiting.now_us)
        if raised.is_new:
            logger.info("alert A%d of %s: %s", raised.alert, alert.rule, alert.sentence)

    def _deliveries(
        self, alert: NewAlert | Alert, purpose: Purpose, channels: Sequence[str]
    ) -> list[NewDelivery]:
        """What is to be sent about an alert."""
        message = Message(
            purpose=purpose,
            site=self._config.site,
            sentence=alert.sentence,
            severity=alert.severity,
            began_us=alert.began_us,
            ended_us=alert.ended_us,
            rule=alert.rule,
            kind=alert.kind,
            cameras=alert.cameras,
            person=None if alert.identity is None else person_name(alert.identity),
            probability=alert.probability,
        )
        return deliveries_for(message, about=alert.key, channels=channels, picture=alert.picture)


def _read(file: Path) -> list[_Waiting]:
    """What an earlier run could not write; damaged files are told and left."""
    try:
        rows = json.loads(file.read_text())
        return [_from_json(row) for row in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        logger.error("alerts that waited in %s cannot be read: %s", file, error)
        return []


def _from_json(row: dict[str, Any]) -> _Waiting:
    alert = dict(row["alert"])
    alert["severity"] = AlertSeverity(alert["severity"])
    alert["cameras"] = tuple(CameraId(camera) for camera in alert["cameras"])
    alert["sightings"] = tuple(alert["sightings"])
    for who in ("identity", "candidate"):
        alert[who] = None if alert[who] is None else IdentityId(int(alert[who]))
    return _Waiting(
        alert=NewAlert(**alert), channels=tuple(row["channels"]), now_us=int(row["now_us"])
    )
