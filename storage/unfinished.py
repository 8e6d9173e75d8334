"""Folders in the making: by one process at a time; what a killed one left is cleared away."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Be the one process that works in `folder`, made when missing; false if another one does.

    The lock goes with its process. A folder that is renamed meanwhile takes its lock along.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        holder = (folder / LOCK).open("a")
    except FileNotFoundError:  # renamed or cleared away since
        yield False
        return
    with holder:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield _is_still(holder.fileno(), folder / LOCK)


def clear(folder: Path) -> None:
    """Delete all that is in a folder but its lock. For its holder only."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def clear_left(parent: Path, prefix: str) -> None:
    """Delete the folders of this prefix that nobody works in any more."""
    for folder in parent.glob(f"{prefix}*"):
        if (folder / LOCK).is_file():
            with held(folder) as is_ours:
                if is_ours:
                    shutil.rmtree(folder, ignore_errors=True)


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one at `path`: another process may have deleted it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
