"""Delivering alerts in a process that does something else, too, or does only that."""

from __future__ import annotations

import logging
import threading

from pipeline.alerts.delivery.deliverer import Deliverer
from pipeline.alerts.delivery.post import Post
from pipeline.alerts.delivery.worker import Health
from pipeline.background import Background
from pipeline.config import SiteConfig
from storage.claims import claim_deliverer
from storage.database import Database
from storage.errors import AlreadyRunning
from storage.evidence import EvidenceStore
from streams.clock import Clock
from streams.errors import NoctuleError, Transient

logger = logging.getLogger(__name__)

KEEP_EVERY_S = 1.0
STAND_BY_S = 10.0
AFTER_TROUBLE_S = 5.0


def post_of(site: SiteConfig, database: Database, *, clock: Clock) -> Post:
    """Where the messages of a site come from."""
    return Post(
        database=database,
        evidence=EvidenceStore(site.storage.evidence, site.storage.reserve_mb),
        site=site.site,
        clock=clock,
        public_url=site.front_desk.public_url,
    )


def deliver(site: SiteConfig, database: Database, *, clock: Clock, stop: threading.Event) -> None:
    """Deliver alerts until `stop` is set.

    Raises:
        AlreadyRunning: Another process delivers for this database.
        DatabaseBusy: The server of the database went away.
        SendFailed: A thread was ended by a fault of ours.
    """
    with claim_deliverer(database) as keep, _deliverer(site, database, clock) as deliverer:
        logger.info("delivering alerts to %d channels", len(site.alerts.channels))
        while not stop.wait(KEEP_EVERY_S):
            keep()
            deliverer.check()


class Delivering(Background):
    """Delivers alerts on threads of its own while the block lasts.

    While another process delivers it stands by, and takes over when that ends. Trouble with the
    database is logged and waited for.
    """

    def __init__(self, site: SiteConfig, database: Database, *, clock: Clock) -> None:
        super().__init__("deliver")
        self._site = site
        self._database = database
        self._clock = clock
        self._deliverer: Deliverer | None = None

    @property
    def health(self) -> dict[str, Health]:
        """How each channel does, by its name; {} while another process delivers."""
        deliverer = self._deliverer
        return {} if deliverer is None else deliverer.health

    def _loop(self) -> None:
        stands_by = False
        while not self._stopping.is_set():
            try:
                with claim_deliverer(self._database) as keep:
                    stands_by = False
                    with _deliverer(self._site, self._database, self._clock) as deliverer:
                        self._deliverer = deliverer
                        while not self._stopping.wait(KEEP_EVERY_S):
                            keep()
                            deliverer.check()
            except AlreadyRunning as error:
                if not stands_by:
                    logger.info("alerts are delivered by another process: %s", error)
                stands_by = True
                self._stopping.wait(STAND_BY_S)
            except Transient as error:
                logger.warning("alerts wait: %s", error)
                self._stopping.wait(AFTER_TROUBLE_S)
            except NoctuleError as error:
                logger.error("alerts cannot be delivered: %s", error)
                self._stopping.wait(STAND_BY_S)
            finally:
                self._deliverer = None


def _deliverer(site: SiteConfig, database: Database, clock: Clock) -> Deliverer:
    return Deliverer(
        site.alerts.channels,
        post_of(site, database, clock=clock),
        patience=site.alerts.delivery,
        heartbeat_s=site.alerts.heartbeat_s,
    )
