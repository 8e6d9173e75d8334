"""What a check finds: an invariant that does not hold, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A broken invariant.

    Attributes:
        severity: A warning costs room, an error costs truth.
        rule: The invariant, by its short name.
        subject: What breaks it: a row or a file.
        advice: What is wrong with it, and what to do.
    """

    severity: Severity
    rule: str
    subject: str
    advice: str

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        return f"{self.severity}: {self.subject}: {self.advice} [{self.rule}]"


def error(rule: str, subject: str, advice: str) -> Problem:
    """A problem that costs truth."""
    return Problem(severity=Severity.ERROR, rule=rule, subject=subject, advice=advice)


def warning(rule: str, subject: str, advice: str) -> Problem:
    """A problem that costs room only."""
    return Problem(severity=Severity.WARNING, rule=rule, subject=subject, advice=advice)
