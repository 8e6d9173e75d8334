"""Pictures are named by their content, whole or absent, and never fill the disk."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import DiskFull, EvidenceDamaged, NotFound
from storage.evidence import EvidenceStore
from tests.storage_builders import ROOT

pytest_plugins = ["tests.storage_fixtures"]

JPEG = b"\xff\xd8 a picture \xff\xd9"


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "site" / "evidence")


def test_a_picture_is_found_under_the_hash_of_its_content(store: EvidenceStore) -> None:
    sha256 = store.put(JPEG)

    assert sha256 == hashlib.sha256(JPEG).hexdigest()
    assert store.get(sha256) == JPEG
    assert store.path(sha256) == store.folder / sha256[:2] / f"{sha256}.jpg"


def test_the_same_picture_is_kept_once(store: EvidenceStore) -> None:
    sha256 = store.put(JPEG)
    before = store.path(sha256).stat().st_mtime_ns

    assert store.put(JPEG) == sha256

    assert list(store.files()) == [store.path(sha256)]
    assert store.path(sha256).stat().st_mtime_ns == before


def test_a_picture_cut_short_by_somebody_is_noticed_and_mended(store: EvidenceStore) -> None:
    sha256 = store.put(JPEG)
    store.path(sha256).write_bytes(JPEG[:5])

    with pytest.raises(EvidenceDamaged, match="changed or torn"):
        store.get(sha256)

    store.put(JPEG)
    assert store.get(sha256) == JPEG


def test_a_picture_that_is_not_there_is_not_found(store: EvidenceStore) -> None:
    with pytest.raises(NotFound, match="no evidence"):
        store.get("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_name_that_is_no_hash_leads_nowhere(store: EvidenceStore, name: str) -> None:
    with pytest.raises(NotFound, match="names no evidence"):
        store.path(name)


def test_a_folder_that_was_deleted_is_made_again(store: EvidenceStore) -> None:
    for path in [*store.files(), store.folder / "x"]:
        path.unlink(missing_ok=True)
    assert not store.folder.exists()

    store.put(JPEG)

    assert len(list(store.files())) == 1


def test_a_full_disk_is_told_and_leaves_no_torn_file(small_disk: Path) -> None:
    store = EvidenceStore(small_disk / "evidence")
    kept: list[str] = []

    def fill() -> None:
        kept.extend(store.put(bytes([number]) * 50_000) for number in range(100))

    with pytest.raises(DiskFull, match=r"no space left for .*evidence"):
        fill()

    assert 10 < len(kept) < 22
    assert [store.get(sha256)[:1] for sha256 in kept] == [bytes([n]) for n in range(len(kept))]
    assert len(list(store.files())) == len(kept)


def test_no_inodes_left_is_a_full_disk(small_disk: Path) -> None:
    store = EvidenceStore(small_disk)
    store.put(JPEG)
    options = ["mount", "-o", "remount,nr_inodes=4", str(small_disk)]
    subprocess.run(options, check=True)

    with pytest.raises(DiskFull, match="no space left"):
        store.put(b"another")


def test_a_disk_that_became_read_only_is_told(small_disk: Path) -> None:
    store = EvidenceStore(small_disk)
    store.put(JPEG)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    with pytest.raises(DiskFull, match=r"cannot be written \(Read-only file system\)"):
        store.put(b"another")

    assert store.put(JPEG)  # it is there already


def test_the_reserve_stays_free(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path, reserve_mb=10_000_000)

    with pytest.raises(DiskFull, match=r"10000000 MB are to stay free \(storage.reserve_mb\)"):
        store.put(JPEG)

    assert list(store.files()) == []


def test_a_file_size_limit_is_told_as_a_full_disk(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from storage.errors import DiskFull\n"
        "from storage.evidence import EvidenceStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: EvidenceStore(Path(sys.argv[1])).put(bytes(5000))\n"
        "except DiskFull as error: sys.exit(str(error))\n"
    )

    child = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert "no space left" in child.stderr
    assert list(EvidenceStore(tmp_path).files()) == []
