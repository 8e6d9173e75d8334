"""A folder that holds a whole site: database, pictures, and proof that both are what they were.

    noctule.db      SQLite, whatever the site's own database is
    evidence/       every picture that a row refers to
    manifest.json   when, by which program, which schema, what is in each table
    SHA256SUMS      of all these files, as `sha256sum --check` reads it

It appears under its name only when it is complete.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select

from storage.copying import CopiedTable, Told, copy_database, refuse_rows
from storage.database import Database, open_database, upgrade
from storage.errors import (
    BackupDamaged,
    DatabaseBusy,
    DatabaseUnusable,
    DiskFull,
    EvidenceDamaged,
    NotFound,
    SchemaMismatch,
)
from storage.evidence import NO_SPACE, EvidenceStore
from storage.migrations import head_revision, known_revisions
from storage.schema import EvidenceRow
from storage.unfinished import LOCK, clear, clear_left, held
from streams.disk import flush, sha256_of

DATABASE, EVIDENCE, MANIFEST, SUMS = "noctule.db", "evidence", "manifest.json", "SHA256SUMS"
FORMAT = 1
UNFINISHED = ".unfinished"
RESTORING = "noctule-restoring-"
"""Begins the name of a folder beside the evidence in which a backup is brought back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says about itself.

    Attributes:
        schema: Of its database; an older one is upgraded when it is restored.
        program: Version of the program that made it.
        n_pictures: In its evidence folder.
        missing: Pictures that rows refer to and that were lost or torn before, by sha256.
    """

    format: int
    schema: str
    program: str
    made_at_us: int
    tables: tuple[CopiedTable, ...]
    n_pictures: int
    missing: tuple[str, ...]


def make_backup(
    db: Database,
    evidence: EvidenceStore,
    folder: Path,
    *,
    now_us: int,
    told: Told | None = None,
) -> Manifest:
    """Keep one unchanging state of the site in a new folder; a watcher may go on writing.

    Pictures are linked where the disk allows it, which takes no room, and copied elsewhere.

    Raises:
        DatabaseUnusable: The folder exists.
        DatabaseBusy: Another process is making a backup there.
        EvidenceBusy: Pictures are being deleted just now.
        DiskFull: It could not be written; nothing is left.
    """
    with _new_folder(folder) as unfinished:
        with _told_as_full(folder), evidence.reading():
            tables = copy_database(db, f"sqlite:///{unfinished / DATABASE}", told=told)
            wanted = _pictures_in(unfinished / DATABASE)
            missing = tuple(_keep_pictures(evidence, wanted, unfinished / EVIDENCE))
        manifest = Manifest(
            format=FORMAT,
            schema=head_revision(),
            program=version("noctule"),
            made_at_us=now_us,
            tables=tuple(tables),
            n_pictures=len(wanted) - len(missing),
            missing=missing,
        )
        with _told_as_full(folder):
            _seal(unfinished, manifest, kept=set(wanted) - set(missing))
            unfinished.rename(folder)
            (folder / LOCK).unlink()
            flush(folder)
            flush(folder.parent)
    return manifest


def restore_backup(
    folder: Path, url: str, evidence: EvidenceStore, *, told: Told | None = None
) -> Manifest:
    """Bring a backup back: its pictures into `evidence`, its rows into the empty database at `url`.

    Everything is proven first. Pictures that are there stay; the backup is not changed.

    Raises:
        BackupDamaged: A file is missing, torn or changed, or it is no backup.
        DatabaseUnusable: The database holds something already.
        SchemaMismatch: It was made by a newer program.
    """
    sums = _proven_sums(folder)
    manifest = _read_manifest(folder / MANIFEST)
    refuse_rows(url)
    beside = evidence.folder.parent
    with _told_as_full(evidence.folder):
        beside.mkdir(parents=True, exist_ok=True)
        clear_left(beside, RESTORING)
    with (
        _told_as_full(evidence.folder),
        tempfile.TemporaryDirectory(dir=beside, prefix=RESTORING) as place,
        held(Path(place)),
    ):
        copy = Path(place) / DATABASE
        shutil.copy(folder / DATABASE, copy)  # opening a database changes files beside it
        upgrade(f"sqlite:///{copy}")
        wanted = set(_pictures_in(copy)) - set(manifest.missing)
        store = EvidenceStore(folder / EVIDENCE)
        unproven = sorted(each for each in wanted if _name_in(store, each, folder) not in sums)
        if unproven:
            raise _damaged(folder, f"{len(unproven)} pictures are missing, such as {unproven[0]}")
        with open_database(f"sqlite:///{copy}") as source:
            for sha256 in sorted(wanted):
                _put_picture(evidence, store, sha256)
            tables = copy_database(source, url, told=told)
    return replace(manifest, schema=head_revision(), tables=tuple(tables))


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Where `folder` is made before it has its name; nothing is left there if that fails."""
    unfinished = folder.with_name(folder.name + UNFINISHED)
    with ExitStack() as stack:
        with _told_as_full(folder):
            if not folder.exists() and not stack.enter_context(held(unfinished)):
                raise DatabaseBusy(
                    f"another backup into {folder} is being made; wait for it, or name another one"
                )
            if folder.exists():  # or does by now
                raise DatabaseUnusable(f"{folder} exists; a backup is made in a new folder")
            clear(unfinished)  # of a killed backup
        try:
            yield unfinished
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def _pictures_in(database: Path) -> list[str]:
    with open_database(f"sqlite:///{database}") as opened, opened.read() as connection:
        query = select(EvidenceRow.sha256).order_by(EvidenceRow.sha256)
        return list(connection.execute(query).scalars())


def _keep_pictures(evidence: EvidenceStore, wanted: list[str], folder: Path) -> Iterator[str]:
    """Link or copy what is wanted; yields what is lost, or not what it was."""
    folder.mkdir()
    kept = EvidenceStore(folder)
    for sha256 in wanted:
        try:
            jpeg = evidence.get(sha256)
        except (NotFound, EvidenceDamaged):
            yield sha256
            continue
        kept.path(sha256).parent.mkdir(exist_ok=True)
        try:
            os.link(evidence.path(sha256), kept.path(sha256))
        except OSError:  # another disk, or one without links
            kept.put(jpeg)


def _seal(folder: Path, manifest: Manifest, *, kept: set[str]) -> None:
    """Write down what is in the folder, and see it all to the disk."""
    text = json.dumps(asdict(manifest), indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    store = EvidenceStore(folder / EVIDENCE)
    named = {_name_in(store, sha256, folder): sha256 for sha256 in sorted(kept)}
    sums = {name: sha256_of(folder / name) for name in (DATABASE, MANIFEST)} | named
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sums.items())
    (folder / SUMS).write_text(lines, encoding="utf-8")
    for name in (DATABASE, MANIFEST, SUMS):
        flush(folder / name)
    for path in (*(folder / EVIDENCE).iterdir(), folder / EVIDENCE, folder):
        flush(path)


def _proven_sums(folder: Path) -> dict[str, str]:
    """Names and hashes of the backup's files, each proven."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(folder, f"{SUMS} cannot be read") from error
    sums = {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}
    if not {DATABASE, MANIFEST} <= set(sums):
        raise _damaged(folder, f"{SUMS} names no {DATABASE} or no {MANIFEST}")
    for name, sha256 in sums.items():
        inside = folder / name
        if not inside.resolve().is_relative_to(folder.resolve()) or not inside.is_file():
            raise _damaged(folder, f"{name} is missing")
        if sha256_of(inside) != sha256:
            raise _damaged(folder, f"{name} was changed or torn")
    return sums


def _read_manifest(file: Path) -> Manifest:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        tables = tuple(CopiedTable(**table) for table in said.pop("tables"))
        missing = tuple(said.pop("missing"))
        manifest = Manifest(**said, tables=tables, missing=missing)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(file.parent, f"{MANIFEST} is none of ours") from error
    if manifest.format != FORMAT or manifest.schema not in known_revisions():
        raise SchemaMismatch(
            f"{file.parent} has format {manifest.format} and schema {manifest.schema}, newer than "
            "this program; restore it with the noctule that made it, or a newer one"
        )
    return manifest


def _put_picture(evidence: EvidenceStore, store: EvidenceStore, sha256: str) -> None:
    """Link or copy it, unless it is there and sound."""
    place = evidence.path(sha256)
    if place.is_file() and sha256_of(place) == sha256:
        return
    place.unlink(missing_ok=True)
    evidence.put(store.get(sha256))


def _name_in(store: EvidenceStore, sha256: str, folder: Path) -> str:
    return store.path(sha256).relative_to(folder).as_posix()


@contextmanager
def _told_as_full(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = "no space left" if error.errno in NO_SPACE else error.strerror
        raise DiskFull(f"{folder} cannot be written ({why}); give a place that has room") from error


def _damaged(folder: Path, words: str) -> BackupDamaged:
    return BackupDamaged(f"{folder} is no sound backup: {words}; take another one")
