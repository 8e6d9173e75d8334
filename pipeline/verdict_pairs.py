"""What operators said, as pairs of pictures to measure and to train on."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from pipeline.false_alarms import FalseAlarm, false_alarms
from storage.audit import audited
from storage.database import Database
from storage.desk.alerts import alert_name
from storage.desk.interest import interest_name
from storage.desk.types import AlertId
from storage.errors import EvidenceDamaged, NotFound
from storage.evidence import EvidenceStore
from storage.refinement import Said, binding_verdicts
from storage.types import SightingId, person_name, sighting_name, verdict_name
from storage.verdict_list import forgotten_visits
from storage.verdict_pictures import JudgedPicture, pictures_of_visits
from streams.types import Modality

PAIRS = "pairs.csv"
INTEREST = "interest"
"""Folder of example pictures of persons of interest; as deep as `unsure`."""
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
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A picture in the table."""

    place: Path
    camera: str
    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Two pictures, and what was said of them by which verdict or false alarm."""

    left: _Shown
    right: _Shown
    is_same: bool
    said: str


def export_pairs(
    db: Database, evidence: EvidenceStore, out: Path, *, by: str, now_us: int
) -> ExportedPairs:
    """Write `pairs.csv` and the pictures of the visits in it, one folder per person.

    `out` is then a training folder: PERSON/MODALITY_CAMERA/*.jpg. Pictures of visits that are
    nobody's now lie apart in `unsure/`, examples of persons of interest whose alert was a false
    alarm in `interest/`; the column `verdict` then names the alert. Forgotten persons are left
    out. The audit names the persons before the first picture is copied.

    Args:
        out: Made where it is missing; must be empty.

    Raises:
        NotFound: No verdict that holds tells two visits with pictures together or apart.
        AuditFailed: It could not be written down, so nothing was written.
        EvidenceBusy: Pictures are being deleted.
    """
    with evidence.reading():
        forgotten = forgotten_visits(db)
        alarms = [alarm for alarm in false_alarms(db) if not forgotten & set(alarm.visits)]
        pairs = _pairs(reversed(binding_verdicts(db)), alarms)
        pairs = [pair for pair in pairs if not forgotten & {pair.left, pair.right}]
        spoken_of = {v for pair in pairs for v in (pair.left, pair.right)}
        compared = {v for alarm in alarms if alarm.examples for v in alarm.visits}
        pictures = pictures_of_visits(db, spoken_of | compared)
        shown = {picture.sighting for picture in pictures}
        pairs = [pair for pair in pairs if {pair.left, pair.right} <= shown]
        alarms = [alarm for alarm in alarms if alarm.examples and shown & set(alarm.visits)]
        if not pairs and not alarms:
            raise NotFound(
                "no verdict that holds tells two visits with pictures together or apart, and no "
                "person of interest was a false alarm; say something first, see `noctule verdict "
                "--help`"
            )
        named = {v for pair in pairs for v in (pair.left, pair.right)}
        named |= {v for alarm in alarms for v in alarm.visits}
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
        examples = {alarm.alert: list(_copy_examples(alarm, evidence, out)) for alarm in alarms}
    best = _best(kept)
    rows = [*_rows_of_pairs(pairs, best), *_rows_of_alarms(alarms, examples, best)]
    _write(rows, out)
    n_same = sum(row.is_same for row in rows)
    return ExportedPairs(
        n_same=n_same,
        n_different=len(rows) - n_same,
        n_persons=len(persons),
        n_pictures=len(kept),
        n_lost=len(pictures) - len(kept),
    )


def _pairs(said: Iterable[Said], alarms: Iterable[FalseAlarm]) -> list[_Pair]:
    """Every pair of visits that somebody spoke about; the newest word counts, verdicts first.

    Args:
        said: Newest first.
    """
    found: dict[tuple[SightingId, SightingId], _Pair] = {}

    def add(left: SightingId, right: SightingId, is_same: bool, words: str) -> None:
        key = min(left, right), max(left, right)
        found.setdefault(key, _Pair(left=left, right=right, is_same=is_same, said=words))

    for rule in said:
        for left, right in product(sorted(rule.a), sorted(rule.b)):
            add(left, right, rule.is_same, verdict_name(rule.number))
    for alarm in alarms:
        for left, right in product(alarm.visits, alarm.against):
            add(left, right, False, alert_name(alarm.alert))
    return list(found.values())


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


def _copy_examples(alarm: FalseAlarm, evidence: EvidenceStore, out: Path) -> Iterator[_Shown]:
    """Example pictures that could be copied."""
    for rank, example in enumerate(alarm.examples):
        if example.picture is None:
            continue
        try:
            jpeg = evidence.get(example.picture)
        except (NotFound, EvidenceDamaged):
            continue
        place = Path(INTEREST, f"{interest_name(alarm.interest)}-{rank}.jpg")
        (out / INTEREST).mkdir(parents=True, exist_ok=True)
        (out / place).write_bytes(jpeg)
        yield _Shown(place=place, camera="", modality=example.modality)


def _rows_of_pairs(
    pairs: Iterable[_Pair], best: Mapping[SightingId, Sequence[_Shown]]
) -> Iterator[_Row]:
    for pair in pairs:
        for left, right in product(best.get(pair.left, ()), best.get(pair.right, ())):
            yield _Row(left=left, right=right, is_same=pair.is_same, said=pair.said)


def _rows_of_alarms(
    alarms: Iterable[FalseAlarm],
    examples: Mapping[AlertId, Sequence[_Shown]],
    best: Mapping[SightingId, Sequence[_Shown]],
) -> Iterator[_Row]:
    for alarm in alarms:
        for visit in alarm.visits:
            for left, right in product(best.get(visit, ()), examples[alarm.alert]):
                yield _Row(left=left, right=right, is_same=False, said=alert_name(alarm.alert))


def _write(rows: Iterable[_Row], out: Path) -> None:
    with (out / PAIRS).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            left, right = row.left, row.right
            table.writerow(
                (
                    *(left.place.as_posix(), right.place.as_posix(), int(row.is_same)),
                    *(left.camera, right.camera, left.modality.value, right.modality.value),
                    row.said,
                )
            )


def _best(pictures: Iterable[JudgedPicture]) -> Mapping[SightingId, list[_Shown]]:
    """Of every visit, the best picture of each light."""
    found: defaultdict[SightingId, list[_Shown]] = defaultdict(list)
    for picture in pictures:
        if all(other.modality is not picture.modality for other in found[picture.sighting]):
            shown = _Shown(place=_place(picture), camera=picture.camera, modality=picture.modality)
            found[picture.sighting].append(shown)
    return found
