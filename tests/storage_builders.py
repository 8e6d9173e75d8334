"""Small sightings, links and exemplars, new databases, child processes."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg

from storage.retention_config import RetentionConfig
from storage.types import Decision, Exemplar, IdentityId, NewLink, NewSighting
from streams.types import CameraId, Modality

ROOT = Path(__file__).parents[1]
MODEL = "edge@0123456789ab"
DIMENSION = 4
SECOND_US = 1_000_000
TEN_O_CLOCK_US = 1_700_000_000_000_000
PICTURE = "a" * 64
FOR_EVER = RetentionConfig.model_validate(
    {name: None for name in RetentionConfig.model_fields if name.endswith(("_days", "_mb"))}
)

_database_numbers = count()


def unit_vector(*numbers: float) -> npt.NDArray[np.float32]:
    vector = np.array(numbers, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def exemplar(
    *numbers: float, evidence: str | None = PICTURE, modality: Modality = Modality.VISIBLE
) -> Exemplar:
    return Exemplar(
        vector=unit_vector(*(numbers or (1, 0, 0, 0))),
        modality=modality,
        captured_at_us=TEN_O_CLOCK_US,
        box=(10.0, 20.0, 30.0, 60.5),
        quality=0.75,
        evidence=evidence,
    )


def link_new() -> NewLink:
    return link(Decision.NEW)


def link_unsure(candidate: int | None = None) -> NewLink:
    return link(Decision.UNSURE, candidate=candidate)


def link_to(identity: int) -> NewLink:
    return link(Decision.LINK, identity=identity, candidate=identity)


def link(
    decision: Decision, *, identity: int | None = None, candidate: int | None = None
) -> NewLink:
    return NewLink(
        decision=decision,
        identity=None if identity is None else IdentityId(identity),
        candidate=None if candidate is None else IdentityId(candidate),
        probability=None if candidate is None else 0.875,
        threshold=0.75,
        runner_up=None,
        runner_up_probability=None,
        reason="looks alike",
        calibration="test",
    )


def sighting(
    number: int = 0,
    *,
    link: NewLink | None = None,
    camera: str = "gate",
    modality: Modality = Modality.VISIBLE,
    at_s: float | None = None,
    lasts_s: float = 5,
    exemplars: tuple[Exemplar, ...] | None = None,
    model: str = MODEL,
) -> NewSighting:
    """Visit `number`: begins `number` minutes after ten o'clock unless `at_s` says otherwise."""
    offset_s = 60 * number if at_s is None else at_s
    first_us = TEN_O_CLOCK_US + round(offset_s * SECOND_US)
    last_us = first_us + round(lasts_s * SECOND_US)
    return NewSighting(
        key=f"{camera}/{number}",
        track=f"{camera}/{number}",
        part=0,
        camera=CameraId(camera),
        modality=modality,
        first_seen_us=first_us,
        last_seen_us=last_us,
        n_frames=50,
        trail=np.array([[first_us, 0, 0, 10, 20], [last_us, 5, 5, 15, 25]], dtype=np.float64),
        model=model,
        exemplars=(exemplar(modality=modality),) if exemplars is None else exemplars,
        link=link or link_new(),
    )


def run_python(module: str, *arguments: str) -> subprocess.Popen[str]:
    """A child process that runs a module of ours, its output readable line by line."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def new_postgresql(server: str, *, template: str = "template1") -> str:
    """Address of a new database, a copy of `template`."""
    name = f"test_{next(_database_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return server.replace("/postgres?", f"/{name}?")
