"""What verbs print: tables for people on stdout, JSON for machines, progress on stderr."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from storage.rulings import OPERATOR
from storage.types import Decision, Identity, Link, Sighting, person_name, sighting_name
from streams.moments import iso_time, to_utc
from streams.types import Modality

_MARK = {Modality.VISIBLE: "☀ visible", Modality.INFRARED: "☾ infrared"}
_PIPE_WIDTH = 200

Json = Mapping[str, object] | Sequence[Mapping[str, object]]

progress_console = Console(stderr=True)


def light(modality: Modality) -> str:
    """Day or night, by sign and word."""
    return _MARK[modality]


def clock_time(time_us: int, *, date: bool = True) -> str:
    """A UTC time for people.

    >>> clock_time(1_780_322_400_000_000)
    '2026-06-01 14:00:00'
    """
    time = to_utc(time_us)
    return f"{time:%Y-%m-%d %H:%M:%S}" if date else f"{time:%H:%M:%S}"


def percent(probability: float | None) -> str:
    """A probability for people; nothing was compared where there is none."""
    return "–" if probability is None else f"{probability:.0%}"


def print_json(value: Json) -> None:
    """One JSON document on stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None
) -> None:
    """A table on stdout; wide enough for whole lines where stdout is not a terminal."""
    table = Table(*columns, title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for row in rows:
        table.add_row(*map(visible, row))
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    Console(width=width, highlight=False, markup=False).print(table)


def print_line(text: str = "") -> None:
    """A sentence on stdout."""
    sys.stdout.write(f"{visible(text)}\n")


def visible(text: str) -> str:
    r"""`text` with signs that would steer a terminal, or turn words round, written out.

    Operators' reasons and cameras' names are shown to other operators.

    >>> visible("red\x1b[31m\u202e coat")
    'red\\x1b[31m\\u202e coat'
    """
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in ("Cc", "Cf") and letter not in "\n\t\u200d"
        else letter
        for letter in text
    )


def who(sighting: Sighting) -> str:
    """The person's name; with a question mark while unsure."""
    if sighting.identity is not None:
        return person_name(sighting.identity)
    if sighting.link.candidate is not None:
        return f"{person_name(sighting.link.candidate)}?"
    return "?"


def certainty(link: Link) -> str:
    """How sure the decision is, in the decision's own terms."""
    if link.calibration == OPERATOR:
        return f"{link.made_by} says so"
    if link.decision is Decision.NEW:
        return "new" if link.probability is None else f"new ({percent(link.probability)} known)"
    return percent(link.probability)


def sighting_row(sighting: Sighting) -> list[str]:
    """Visit, identity, camera, light, from, to, probability."""
    return [
        sighting_name(sighting.id),
        who(sighting),
        sighting.camera,
        light(sighting.modality),
        clock_time(sighting.first_seen_us),
        clock_time(sighting.last_seen_us, date=False),
        certainty(sighting.link),
    ]


SIGHTING_COLUMNS = ("visit", "identity", "camera", "modality", "from (UTC)", "to", "probability")


def sighting_json(sighting: Sighting) -> dict[str, object]:
    """Every field of a sighting, times as ISO 8601 UTC."""
    link = sighting.link
    return {
        "sighting": sighting.id,
        "identity": None if sighting.identity is None else person_name(sighting.identity),
        "camera": sighting.camera,
        "modality": sighting.modality.value,
        "first_seen": iso_time(sighting.first_seen_us),
        "last_seen": iso_time(sighting.last_seen_us),
        "n_frames": sighting.n_frames,
        "track": sighting.track,
        "part": sighting.part,
        "model": sighting.model,
        "evidence": list(sighting.evidence),
        "link": {
            "decision": link.decision.value,
            "candidate": None if link.candidate is None else person_name(link.candidate),
            "probability": link.probability,
            "threshold": link.threshold,
            "runner_up": None if link.runner_up is None else person_name(link.runner_up),
            "runner_up_probability": link.runner_up_probability,
            "reason": link.reason,
            "calibration": link.calibration,
        },
    }


def identity_json(identity: Identity) -> dict[str, object]:
    """Every field of an identity."""
    return {
        "identity": person_name(identity.id),
        "first_seen": iso_time(identity.first_seen_us),
        "last_seen": iso_time(identity.last_seen_us),
        "n_sightings": identity.n_sightings,
        "cameras": list(identity.cameras),
        "modalities": [modality.value for modality in identity.modalities],
    }
