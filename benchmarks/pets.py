"""Who has many numbers in PETS09-S2L1."""

from __future__ import annotations

import json
from pathlib import Path

PEOPLE = Path(__file__).with_name("pets_people.json")


def first_numbers(path: Path = PEOPLE) -> dict[int, int]:
    """Of every further number of a person, the first; MOTChallenge gives a new one to whoever comes
    back."""
    groups: list[list[int]] = json.loads(path.read_text(encoding="utf-8"))["one_person"]
    return {number: first for first, *others in groups for number in others}
