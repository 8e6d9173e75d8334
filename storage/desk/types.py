"""Words that tables and functions of the front desk share."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

AccountId = NewType("AccountId", int)
AlertId = NewType("AlertId", int)
DeliveryId = NewType("DeliveryId", int)
InterestId = NewType("InterestId", int)
RuleId = NewType("RuleId", int)
ShapeId = NewType("ShapeId", int)


class Role(StrEnum):
    """What an account may do; each may what the one before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class ShapeKind(StrEnum):
    """What is drawn on a camera's picture."""

    ZONE = "zone"
    LINE = "line"


class RuleOrigin(StrEnum):
    """Where a rule is written, and so where it is changed."""

    CONFIG = "config"
    PAGE = "page"


class AlertSeverity(StrEnum):
    """How soon somebody must look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertState(StrEnum):
    """How far operators are with an alert."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    FALSE_ALARM = "false alarm"


class AlertEventKind(StrEnum):
    """What happened to an alert; its state follows from these."""

    RAISED = "raised"
    EXTENDED = "extended"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    FALSE_ALARM = "false alarm"
    UNDONE = "undone"
    NOTE = "note"


class Purpose(StrEnum):
    """Why something is sent."""

    ALERT = "alert"
    ESCALATION = "escalation"
    TEST = "test"
    HEARTBEAT = "heartbeat"


class DeliveryState(StrEnum):
    """How far sending is; dead: given up, until somebody tries again."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
