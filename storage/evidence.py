"""Pictures that prove a sighting, named by their content.

A file is complete or absent: it is written beside its place, flushed to the disk, then renamed.
It is put here before any row refers to it, and its row is deleted before it is, so a crash leaves
at most a picture too many.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from storage.errors import DiskFull, EvidenceBusy, EvidenceDamaged, NotFound
from streams.disk import flush

SHA256 = re.compile(r"[0-9a-f]{64}")
FOLDER = re.compile(r"[0-9a-f]{2}")
SUFFIX = ".jpg"
UNFINISHED_SUFFIX = ".part"
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file of a store.

    Attributes:
        sha256: The picture it is, None if it is the unfinished one of a killed process.
        changed_at_us: When it was last put here, by the clock of the disk, microseconds UTC.
    """

    path: Path
    sha256: str | None
    n_bytes: int
    changed_at_us: int


class EvidenceStore:
    """A folder of pictures. Threads and processes may share it.

    Args:
        folder: Made when it is missing, also when somebody deletes it later.
        reserve_mb: Disk space that is never filled, megabytes.
    """

    def __init__(self, folder: Path, reserve_mb: int = 0) -> None:
        self.folder = folder
        self._reserve_mb = reserve_mb

    def put(self, jpeg: bytes) -> str:
        """Keep a picture; keeping it again changes nothing.

        Returns:
            Its sha256, hex, for `get`. It is on the disk.

        Raises:
            DiskFull: It could not be written: no space beyond the reserve, a read-only disk, or no
                permission.
        """
        sha256 = hashlib.sha256(jpeg).hexdigest()
        place = self.path(sha256)
        try:
            if place.exists() and place.stat().st_size == len(jpeg):
                _mark_as_new(place)
                return sha256
            self._make_folder(place.parent)
            self._refuse_below_reserve(len(jpeg))
            _write_whole(place, jpeg)
        except OSError as error:
            raise self._full(error) from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The picture of this name.

        Raises:
            NotFound: It was never kept, or deleted.
            EvidenceDamaged: Its content is another than when it was kept.
        """
        place = self.path(sha256)
        try:
            jpeg = place.read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"no evidence {sha256} in {self.folder}") from error
        except OSError as error:
            raise EvidenceDamaged(f"{place} cannot be read: {error.strerror}") from error
        if hashlib.sha256(jpeg).hexdigest() != sha256:
            raise EvidenceDamaged(f"{place} was changed or torn; restore it from a backup")
        return jpeg

    def delete(self, sha256: str) -> int:
        """Delete a picture that no row refers to; how many bytes that freed, 0 if it is not there.

        Raises:
            DiskFull: The folder cannot be changed.
        """
        place = self.path(sha256)
        try:
            n_bytes = place.stat().st_size
            place.unlink()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise self._full(error, "is not deleted") from error
        return n_bytes

    def n_bytes(self, sha256: str) -> int:
        """Room that a picture takes, 0 if it is not there."""
        try:
            return self.path(sha256).stat().st_size
        except OSError:
            return 0

    def flush(self) -> None:
        """What was deleted stays so also after the power failed."""
        for folder in [self.folder, *self._folders()]:
            try:
                flush(folder)
            except OSError:  # gone, or unreadable: then there is nothing of ours in it
                continue

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Nobody deletes a picture until the block is left: for exports, which read rows first.

        Raises:
            EvidenceBusy: Somebody is deleting just now.
        """
        with self._locked(fcntl.LOCK_SH, "pictures are being deleted; try again in a minute"):
            yield

    @contextmanager
    def deleting(self) -> Iterator[None]:
        """Be the one who deletes, while nobody exports.

        Raises:
            EvidenceBusy: Somebody is exporting or deleting just now.
        """
        with self._locked(fcntl.LOCK_EX, "pictures are being exported or deleted; try again later"):
            yield

    @contextmanager
    def _locked(self, kind: int, words: str) -> Iterator[None]:
        try:
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:  # there are no pictures that could be deleted or read
            yield
            return
        try:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise EvidenceBusy(f"{self.folder}: {words}") from error
            yield
        finally:
            os.close(descriptor)

    def pictures(self) -> Iterator[list[EvidenceFile]]:
        """All pictures, also unfinished ones, a folder at a time."""
        for folder in self._folders():
            with os.scandir(folder) as entries:
                found = [_to_file(entry) for entry in entries if entry.is_file()]
            yield [file for file in found if file is not None]

    def _folders(self) -> list[Path]:
        try:
            inside = sorted(self.folder.iterdir())
        except OSError:
            return []
        return [path for path in inside if FOLDER.fullmatch(path.name) and path.is_dir()]

    def path(self, sha256: str) -> Path:
        """Where the picture lies, or would.

        Raises:
            NotFound: That is no name of a picture.
        """
        if not SHA256.fullmatch(sha256):
            raise NotFound(f"{sha256[:80]!r} names no evidence; expected 64 hex digits")
        return self.folder / sha256[:2] / f"{sha256}{SUFFIX}"

    def files(self) -> Iterator[Path]:
        """All files in the folder, whoever put them there, by name."""
        if self.folder.is_dir():
            yield from sorted(path for path in self.folder.rglob("*") if path.is_file())

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            flush(folder.parent)

    def _refuse_below_reserve(self, n_bytes: int) -> None:
        if not self._reserve_mb:
            return
        free = shutil.disk_usage(self.folder).free
        if free - n_bytes < self._reserve_mb * BYTES_PER_MB:
            raise DiskFull(
                f"the disk of {self.folder} has {free // BYTES_PER_MB} MB left, and "
                f"{self._reserve_mb} MB are to stay free (storage.reserve_mb); delete something, "
                "or move storage.evidence to a larger disk"
            )

    def _full(self, error: OSError, outcome: str = "is not kept") -> DiskFull:
        if error.errno in NO_SPACE:
            return DiskFull(f"no space left for {self.folder}; free some, evidence {outcome}")
        return DiskFull(
            f"{self.folder} cannot be written ({error.strerror}); check its permissions and its "
            f"disk, evidence {outcome}"
        )


def _to_file(entry: os.DirEntry[str]) -> EvidenceFile | None:
    name, dot, suffix = entry.name.rpartition(".")
    is_picture = dot + suffix == SUFFIX and SHA256.fullmatch(name) is not None
    if not is_picture and dot + suffix != UNFINISHED_SUFFIX:
        return None
    try:
        state = entry.stat()
    except FileNotFoundError:  # deleted meanwhile
        return None
    return EvidenceFile(
        path=Path(entry.path),
        sha256=name if is_picture else None,
        n_bytes=state.st_size,
        changed_at_us=state.st_ctime_ns // 1000,
    )


def _mark_as_new(place: Path) -> None:
    """Somebody is about to refer to it, so whoever looks for orphans must not take it for one."""
    state = place.stat()
    with suppress(OSError):  # a read-only disk: nobody can delete it there either
        os.utime(place, ns=(state.st_atime_ns, state.st_mtime_ns))  # changes its ctime


def _write_whole(place: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=place.parent, suffix=UNFINISHED_SUFFIX)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(place)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    flush(place.parent)
