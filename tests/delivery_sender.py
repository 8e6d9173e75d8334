"""A deliverer in a process of its own, to be killed: ADDRESS EVIDENCE WEBHOOK."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from pipeline.alerts.channels_config import DeliveryConfig, WebhookConfig
from pipeline.alerts.delivery.deliverer import Deliverer
from pipeline.alerts.delivery.post import Post
from storage.claims import claim_deliverer
from storage.database import open_database
from storage.evidence import EvidenceStore
from streams.clock import SystemClock


def main(address: str, evidence: str, url: str) -> None:
    channel = WebhookConfig.model_validate(
        {
            "kind": "webhook",
            "name": "hook",
            "url": url,
            "secret": "0123456789abcdef",
            "allow_private": True,
        }
    )
    with open_database(address) as database, claim_deliverer(database):
        post = Post(
            database=database,
            evidence=EvidenceStore(Path(evidence)),
            site="yard",
            clock=SystemClock(),
        )
        patience = DeliveryConfig(first_pause_s=0.05, longest_pause_s=0.2)
        with Deliverer([channel], post, patience=patience, heartbeat_s=0):
            threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
