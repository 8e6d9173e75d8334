"""What operators said, as pairs of pictures to measure and to train on."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from storage.audit import audited
from storage.database import Database
from storage.errors import EvidenceDamaged, NotFound
from storage.evidence import EvidenceStore
from storage.types import SightingId, VerdictId, person_name, sighting_name, verdict_name
from storage.verdict_list import Constraint, constraints
from storage.verdict_pictures import JudgedPicture, pictures_of_visits

PAIRS = "pairs.csv"
UNSURE = "unsure"
"""Folder of pictures of nobody: not deep enough for the reader of training folders."""
COLUMNS = (
    *("left", "right", "same", "left_camera", "right_camera"),
    *("left_modality", "right_modality", "verdict"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPairs:
    """What an export wrote.

    Attributes:
        n_lost: Pictures that are not in the evidence store any more.
    """

    n_same: int
    n_different: int
    n_persons: int
    n_pictures: int
    n_lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    left: SightingId
    right: SightingId
    is_same: bool
    verdict: VerdictId


def export_pairs(
    db: Database, evidence: EvidenceStore, out: Path, *, by: str, now_us: int
) -> ExportedPairs:
    """Write `pairs.csv` and the pictures of the visits in it, one folder per person.

    `out` is then a training folder: PERSON/MODALITY_CAMERA/*.jpg. Pictures of visits that are
    nobody's now lie apart in `unsure/`. Forgotten persons are left out. The audit names the persons
    before the first picture is copied.

    Args:
        out: Made where it is missing; must be empty.

    Raises:
        NotFound: No verdict that holds tells two visits with pictures together or apart.
        AuditFailed: It could not be written down, so nothing was written.
        EvidenceBusy: Pictures are being deleted.
    """
    with evidence.reading():
        said = constraints(db)
        pairs = [pair for pair in _pairs(said.said) if not said.forgotten & {pair.left, pair.right}]
        pictures = pictures_of_visits(db, {v for pair in pairs for v in (pair.left, pair.right)})
        shown = {picture.sighting for picture in pictures}
        pairs = [pair for pair in pairs if {pair.left, pair.right} <= shown]
        if not pairs:
            raise NotFound(
                "no verdict that holds tells two visits with pictures together or apart; say "
                "something first, see `noctule verdict --help`"
            )
        named = {v for pair in pairs for v in (pair.left, pair.right)}
        pictures = [picture for picture in pictures if picture.sighting in named]
        persons = sorted({picture.identity for picture in pictures if picture.identity is not None})
        audited(
            db,
            who=by,
            action="verdict export",
            subject="",
            detail={
                "persons": [person_name(who) for who in persons],
                "n_visits": len(named),
                "folder": str(out.resolve()),
            },
            now_us=now_us,
        )
        kept = list(_copy(pictures, evidence, out))
    n_same, n_different = _write_pairs(pairs, kept, out)
    return ExportedPairs(
        n_same=n_same,
        n_different=n_different,
        n_persons=len(persons),
        n_pictures=len(kept),
        n_lost=len(pictures) - len(kept),
    )


def _pairs(said: Iterable[Constraint]) -> Iterator[_Pair]:
    """Every pair of visits that somebody spoke about; the newest word counts."""
    seen: set[tuple[SightingId, SightingId]] = set()
    for rule in said:
        for left, right in product(sorted(rule.a), sorted(rule.b)):
            key = min(left, right), max(left, right)
            if key in seen:
                continue
            seen.add(key)
            yield _Pair(left=left, right=right, is_same=rule.is_same, verdict=rule.verdict)


def _copy(
    pictures: Iterable[JudgedPicture], evidence: EvidenceStore, out: Path
) -> Iterator[JudgedPicture]:
    """Those that could be copied."""
    for picture in pictures:
        try:
            jpeg = evidence.get(picture.evidence)
        except (NotFound, EvidenceDamaged):
            continue
        file = out / _place(picture)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg)
        yield picture


def _place(picture: JudgedPicture) -> Path:
    """Where a picture lies within the export."""
    name = f"{sighting_name(picture.sighting)}-{picture.rank}.jpg"
    if picture.identity is None:
        return Path(UNSURE, name)
    return Path(person_name(picture.identity), f"{picture.modality}_{picture.camera}", name)


def _write_pairs(
    pairs: Iterable[_Pair], pictures: Sequence[JudgedPicture], out: Path
) -> tuple[int, int]:
    """How many pairs of pictures show one person, and how many two."""
    best = _best(pictures)
    counts = {True: 0, False: 0}
    with (out / PAIRS).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for pair in pairs:
            for left, right in product(best.get(pair.left, ()), best.get(pair.right, ())):
                counts[pair.is_same] += 1
                table.writerow(
                    (
                        *(_place(left).as_posix(), _place(right).as_posix(), int(pair.is_same)),
                        *(left.camera, right.camera, left.modality.value, right.modality.value),
                        verdict_name(pair.verdict),
                    )
                )
    return counts[True], counts[False]


def _best(pictures: Iterable[JudgedPicture]) -> Mapping[SightingId, list[JudgedPicture]]:
    """Of every visit, the best picture of each light."""
    found: defaultdict[SightingId, list[JudgedPicture]] = defaultdict(list)
    for picture in pictures:
        if all(other.modality is not picture.modality for other in found[picture.sighting]):
            found[picture.sighting].append(picture)
    return found
