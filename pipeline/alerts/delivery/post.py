"""What the outbox holds, made ready for a channel."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pipeline.alerts.delivery.message import Message, Parcel
from pipeline.errors import SendRefused
from storage.database import Database
from storage.desk.deliveries import Delivery
from storage.errors import EvidenceDamaged, NotFound
from storage.evidence import EvidenceStore
from streams.clock import Clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where messages come from.

    Attributes:
        site: Its name.
        public_url: Where operators open the pages, without a slash at the end; None: not told.
    """

    database: Database
    evidence: EvidenceStore
    site: str
    clock: Clock
    public_url: str | None = None

    def pack(self, delivery: Delivery, *, with_picture: bool) -> Parcel:
        """The row as a parcel; a picture that is gone or damaged is left out.

        Raises:
            SendRefused: The row holds no message.
        """
        try:
            message = Message.from_payload(delivery.payload)
        except ValueError as error:
            raise SendRefused(str(error)) from None
        url = None
        if self.public_url is not None and delivery.alert is not None:
            url = f"{self.public_url}/alerts/{delivery.alert}"
        return Parcel(
            key=delivery.key,
            at_us=delivery.created_at_us,
            message=message,
            alert=delivery.alert,
            url=url,
            picture=self._picture(delivery) if with_picture else None,
        )

    def _picture(self, delivery: Delivery) -> bytes | None:
        if delivery.picture is None:
            return None
        try:
            return self.evidence.get(delivery.picture)
        except (NotFound, EvidenceDamaged) as error:
            logger.warning("delivery %d goes without its picture: %s", delivery.id, error)
            return None
