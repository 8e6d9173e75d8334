"""The tables: columns with comments, invariants as constraints, indexes named after their query.

Times are microseconds UTC. Numbers are stored little-endian in binary columns.
"""

from storage.schema.base import Table
from storage.schema.kept import AuditRow, CameraMoveRow, ErasureRow, LegalHoldRow
from storage.schema.said import IdentityRow, LinkEventRow, VerdictRow, VerdictSightingRow
from storage.schema.seen import (
    TRAIL_ROW_BYTES,
    VECTOR_NUMBER_BYTES,
    CameraRow,
    EvidenceRow,
    ExemplarRow,
    GapRow,
    ModelVersionRow,
    RunRow,
    SightingRow,
    SiteRow,
)

__all__ = [
    "TRAIL_ROW_BYTES",
    "VECTOR_NUMBER_BYTES",
    "AuditRow",
    "CameraMoveRow",
    "CameraRow",
    "ErasureRow",
    "EvidenceRow",
    "ExemplarRow",
    "GapRow",
    "IdentityRow",
    "LegalHoldRow",
    "LinkEventRow",
    "ModelVersionRow",
    "RunRow",
    "SightingRow",
    "SiteRow",
    "Table",
    "VerdictRow",
    "VerdictSightingRow",
]
