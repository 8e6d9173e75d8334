"""The tables: columns with comments, invariants as constraints, indexes named after their query.

Times are microseconds UTC. Numbers are stored little-endian in binary columns.
"""

from storage.schema.accounts import AccountCameraRow, AccountRow, ApiTokenRow, SessionRow
from storage.schema.base import WORDS_ERASED, Table
from storage.schema.kept import AuditRow, CameraMoveRow, ErasureRow, LegalHoldRow
from storage.schema.raised import (
    AlertCameraRow,
    AlertEventRow,
    AlertRow,
    AlertSightingRow,
    DeliveryRow,
)
from storage.schema.said import (
    IdentityNameRow,
    IdentityRow,
    LinkEventRow,
    VerdictRow,
    VerdictSightingRow,
)
from storage.schema.seen import (
    TRAIL_ROW_BYTES,
    VECTOR_NUMBER_BYTES,
    CameraRow,
    EvidenceRow,
    ExemplarRow,
    GapRow,
    ModelVersionRow,
    RunRow,
    SegmentRow,
    SightingRow,
    SiteRow,
)
from storage.schema.watched import (
    CameraPlaceRow,
    FloorPlanRow,
    InterestExampleRow,
    InterestRow,
    RuleRow,
    ShapeRow,
)

__all__ = [
    "TRAIL_ROW_BYTES",
    "VECTOR_NUMBER_BYTES",
    "WORDS_ERASED",
    "AccountCameraRow",
    "AccountRow",
    "AlertCameraRow",
    "AlertEventRow",
    "AlertRow",
    "AlertSightingRow",
    "ApiTokenRow",
    "AuditRow",
    "CameraMoveRow",
    "CameraPlaceRow",
    "CameraRow",
    "DeliveryRow",
    "ErasureRow",
    "EvidenceRow",
    "ExemplarRow",
    "FloorPlanRow",
    "GapRow",
    "IdentityNameRow",
    "IdentityRow",
    "InterestExampleRow",
    "InterestRow",
    "LegalHoldRow",
    "LinkEventRow",
    "ModelVersionRow",
    "RuleRow",
    "RunRow",
    "SegmentRow",
    "SessionRow",
    "ShapeRow",
    "SightingRow",
    "SiteRow",
    "Table",
    "VerdictRow",
    "VerdictSightingRow",
]
