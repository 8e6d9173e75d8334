"""What Home Assistant is told about us, so that it needs no set-up (pure).

Fields are those of its MQTT event, image and sensor integrations (home-assistant.io).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from storage.desk.types import Purpose

LONGEST_STATE = 255
"""Home Assistant refuses a longer state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Where what is published, below one base."""

    base: str

    @property
    def alert(self) -> str:
        """JSON of each alert, escalation and test."""
        return f"{self.base}/alert"

    @property
    def picture(self) -> str:
        """The JPEG that belongs to the JSON that follows it."""
        return f"{self.base}/picture"

    @property
    def heartbeat(self) -> str:
        """JSON of each heartbeat."""
        return f"{self.base}/heartbeat"

    @property
    def availability(self) -> str:
        """`online` or `offline`, retained."""
        return f"{self.base}/availability"


def announcements(topics: Topics, *, site: str, prefix: str) -> dict[str, bytes]:
    """Topic and payload of each discovery message; all are retained."""
    unique = hashlib.sha256(topics.base.encode()).hexdigest()[:12]
    sentence = f"{{{{ value_json.sentence[:{LONGEST_STATE}] }}}}"
    entities: dict[tuple[str, str], Mapping[str, object]] = {
        ("event", "alert"): {
            "name": "Alert",
            "icon": "mdi:account-alert",
            "state_topic": topics.alert,
            "event_types": [Purpose.ALERT, Purpose.ESCALATION, Purpose.TEST],
        },
        ("sensor", "sentence"): {
            "name": "Last alert",
            "icon": "mdi:message-alert",
            "state_topic": topics.alert,
            "value_template": sentence,
            "json_attributes_topic": topics.alert,
        },
        ("image", "picture"): {
            "name": "Last alert's picture",
            "image_topic": topics.picture,
            "content_type": "image/jpeg",
        },
        ("sensor", "heartbeat"): {
            "name": "Last heartbeat",
            "device_class": "timestamp",
            "entity_category": "diagnostic",
            "state_topic": topics.heartbeat,
            "value_template": "{{ value_json.queued }}",
        },
    }
    shared = {
        "availability_topic": topics.availability,
        "device": {
            "identifiers": [f"noctule_{unique}"],
            "name": f"Noctule {site}",
            "manufacturer": "Noctule",
        },
        "origin": {"name": "Noctule"},
    }
    return {
        f"{prefix}/{component}/noctule_{unique}/{name}/config": json.dumps(
            {"unique_id": f"noctule_{unique}_{name}", **entity, **shared}
        ).encode()
        for (component, name), entity in entities.items()
    }
