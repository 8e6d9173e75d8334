"""An index of vectors on the disk: written whole, proven when read, replaced at once.

A folder holds one index: `current.json` names the generation that counts and the checksums of its
files; a generation is a folder of its own that is never changed. Readers keep what they opened,
also when a newer one has taken its place.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from storage.errors import DatabaseBusy, IndexDamaged
from storage.vectors.block import Block
from storage.vectors.index import Ids, Vectors, load_faiss
from streams.disk import flush

FORMAT = 2
CURRENT = "current.json"
LOCK = "lock"
IDS, VECTORS, LISTS = "ids.i64", "vectors.f32", "lists.faiss"
CHUNK_BYTES = 1 << 24
"""Bytes under one checksum."""
PROVEN_WHOLE = 16
"""Chunks of a file that are all read to prove it; of a larger file this many, spread over it."""
ATTEMPTS = 5
POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Saved:
    """What a folder holds.

    Attributes:
        name: Whose vectors these are: network and light.
        ids: (N,) int64, ascending.
        vectors: (N, D) float32, mapped from the file.
        block: The same with lists; None if there are too few for lists.
        watermark: Highest number of an exemplar that was looked at.
        n_exemplars: How many exemplars, of whatever network, had numbers up to that.
    """

    name: str
    ids: Ids
    vectors: Vectors
    block: Block | None
    watermark: int
    n_exemplars: int


@contextmanager
def owned(folder: Path, *, patience_s: float) -> Iterator[bool]:
    """Be the one process that writes this index until the block is left; false if another is.

    Args:
        patience_s: How long to wait for the other one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as holder:
        until = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    yield False
                    return
                time.sleep(POLL_S)
            else:
                yield True
                return


def write_index(folder: Path, saved: Saved) -> None:
    """Make `saved` what the folder holds; what it held before is deleted. For the owner only.

    Raises:
        OSError: It could not be written; the folder holds what it held.
    """
    before = [path for path in folder.iterdir() if path.is_dir()]
    generation = folder / f"{max((_number(path) for path in before), default=0) + 1:08d}"
    generation.mkdir()
    try:
        files = {
            IDS: _write(generation / IDS, saved.ids.astype("<i8", copy=False)),
            VECTORS: _write(generation / VECTORS, saved.vectors.astype("<f4", copy=False)),
        }
        if saved.block is not None:
            lists = load_faiss().serialize_index(saved.block.lists)
            files[LISTS] = _write(generation / LISTS, lists)
        flush(generation)
        told = {
            "format": FORMAT,
            "generation": generation.name,
            "name": saved.name,
            "n": len(saved.ids),
            "dimension": saved.vectors.shape[1],
            "n_trained": saved.block.n_trained if saved.block else 0,
            "watermark": saved.watermark,
            "n_exemplars": saved.n_exemplars,
            "files": files,
        }
        _replace(folder / CURRENT, json.dumps({**told, "sha256": _sha256_of(told)}, indent=1))
    except BaseException:
        shutil.rmtree(generation, ignore_errors=True)
        raise
    for path in before:
        shutil.rmtree(path, ignore_errors=True)


def read_index(folder: Path) -> Saved | None:
    """What the folder holds, None if nothing.

    Raises:
        IndexDamaged: It cannot be read, or is not what was written.
    """
    for _ in range(ATTEMPTS):
        told = _read_manifest(folder)
        if told is None:
            return None
        try:
            return _read_generation(folder, told)
        except FileNotFoundError as error:  # replaced meanwhile?
            missing = error
    raise IndexDamaged(f"{missing.filename} is missing")


def delete_index(folder: Path) -> None:
    """Make the folder hold nothing. For the owner only."""
    (folder / CURRENT).unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def require_owned(is_owned: bool, folder: Path) -> None:
    """Go on only as the owner.

    Raises:
        DatabaseBusy: Another process is.
    """
    if not is_owned:
        raise DatabaseBusy(f"another program is writing the vector index {folder}; trying again")


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    try:
        told = json.loads((folder / CURRENT).read_text(encoding="utf-8"))
        sha256 = told.pop("sha256")
        if sha256 != _sha256_of(told) or told["format"] != FORMAT:
            raise IndexDamaged(f"{folder / CURRENT} was changed, or is of another program")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise IndexDamaged(f"{folder / CURRENT} cannot be read: {error}") from error
    return dict(told)


def _read_generation(folder: Path, told: dict[str, Any]) -> Saved:
    generation, n, dimension = folder / told["generation"], told["n"], told["dimension"]
    try:
        for name, file in told["files"].items():
            _prove(generation / name, file)
        ids = np.fromfile(generation / IDS, dtype="<i8").astype(np.int64, copy=False)
        vectors = np.empty((0, dimension), dtype=np.float32)
        if n:  # an empty file cannot be mapped
            mapped = np.memmap(generation / VECTORS, dtype="<f4", mode="r", shape=(n, dimension))
            vectors = np.asarray(mapped)
        block = None
        if LISTS in told["files"]:
            lists = load_faiss().read_index(str(generation / LISTS))
            alive = np.ones(n, dtype=np.bool_)
            trained = told["n_trained"]
            block = Block(ids=ids, vectors=vectors, alive=alive, lists=lists, n_trained=trained)
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise IndexDamaged(f"{generation} cannot be read: {error}") from error
    return Saved(
        name=told["name"],
        ids=ids,
        vectors=vectors,
        block=block,
        watermark=told["watermark"],
        n_exemplars=told["n_exemplars"],
    )


def _write(path: Path, array: np.ndarray[Any, np.dtype[Any]]) -> dict[str, Any]:
    """Write the bytes of an array to the disk; returns their number and checksums."""
    raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    chunks = [raw[start : start + CHUNK_BYTES] for start in range(0, len(raw), CHUNK_BYTES)]
    with path.open("xb") as file:
        for chunk in chunks:
            file.write(chunk.data)
        file.flush()
        os.fsync(file.fileno())
    return {
        "bytes": len(raw),
        "sha256": [hashlib.sha256(chunk.data).hexdigest() for chunk in chunks],
    }


def _prove(path: Path, file: dict[str, Any]) -> None:
    sums = file["sha256"]
    with path.open("rb") as opened:
        if os.fstat(opened.fileno()).st_size != file["bytes"]:
            raise IndexDamaged(f"{path} does not have the {file['bytes']} bytes that were written")
        chosen = np.linspace(0, len(sums) - 1, min(len(sums), PROVEN_WHOLE)).astype(int)
        for number in chosen.tolist():
            opened.seek(number * CHUNK_BYTES)
            if hashlib.sha256(opened.read(CHUNK_BYTES)).hexdigest() != sums[number]:
                raise IndexDamaged(f"{path} was changed or torn")


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".part")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    flush(path.parent)


def _sha256_of(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _number(path: Path) -> int:
    return int(path.name) if path.name.isdigit() else 0
