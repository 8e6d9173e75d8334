"""Pictures that prove a sighting, named by their content.

A file is complete or absent: it is written beside its place, flushed to the disk, then renamed.
It is put here before any row refers to it, so a crash leaves at most a picture too many.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from storage.errors import DiskFull, EvidenceDamaged, NotFound

SHA256 = re.compile(r"[0-9a-f]{64}")
SUFFIX = ".jpg"
UNFINISHED_SUFFIX = ".part"
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BYTES_PER_MB = 1_000_000


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
            _flush_folder(folder.parent)

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

    def _full(self, error: OSError) -> DiskFull:
        if error.errno in NO_SPACE:
            return DiskFull(f"no space left for {self.folder}; free some, evidence is not kept")
        return DiskFull(
            f"{self.folder} cannot be written ({error.strerror}); check its permissions and its "
            "disk, evidence is not kept"
        )


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
    _flush_folder(place.parent)


def _flush_folder(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
