"""Errors of training.

Permanent
├── TrainingDiverged   the loss is not a number any more
└── RunUnlike          a run cannot go on: its recipe or its data are others now
"""

from __future__ import annotations

from streams.errors import Permanent


class TrainingDiverged(Permanent):
    """The loss is not finite: nothing that is learned from here on is worth keeping."""


class RunUnlike(Permanent):
    """What lies in the folder is not the run that is to be continued."""
