"""Weights files by name or path: found, fetched, and never used before their sha256 is known.

A pickled checkpoint can run code when it is opened. So a file is handed out only if the manifest
knows its sha256, if the operator wrote its sha256 beside its path, or if its format holds no code.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from models.errors import SourceSilent, WeightsRefused, WeightsUnavailable
from models.fetch import Progress, Received, fetch, find_packaged, name_of
from models.manifest import PackageSource, PipSource, UrlSource, Weights, read_manifest
from streams.disk import sha256_of

__all__ = ["Progress", "Received", "cache_folder", "obtain"]

logger = logging.getLogger(__name__)

CODELESS = {".safetensors"}
PATIENCE_S = 10.0
TRUST = "#sha256="


def obtain(
    name_or_path: str,
    *,
    progress: Progress | None = None,
    manifest: Mapping[str, Weights] | None = None,
    patience_s: float = PATIENCE_S,
) -> Path:
    """A verified weights file: from the cache, from its sources, or the operator's own.

    Args:
        name_or_path: A name in the manifest, a path, or `path#sha256=<64 digits>`: the operator
            vouches for that content.
        progress: Told about a download, if one is needed.
        manifest: What is known by name; ours by default.
        patience_s: How long a server may keep silent.

    Raises:
        WeightsUnavailable: No such name or path, or none of its sources answered.
        WeightsRefused: The content is not what was expected, or nobody vouches for it.
    """
    known = read_manifest() if manifest is None else manifest
    if name_or_path in known:
        return _obtain_known(
            name_or_path, known[name_or_path], progress=progress, patience_s=patience_s
        )
    return _check_own(name_or_path, known)


def cache_folder() -> Path:
    """Where downloads are kept: $NOCTULE_CACHE, else noctule in the user's cache folder."""
    if own := os.environ.get("NOCTULE_CACHE"):
        return Path(own).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "noctule"


def _obtain_known(
    name: str, weights: Weights, *, progress: Progress | None, patience_s: float
) -> Path:
    cached = cache_folder() / "weights" / weights.file
    reasons: list[str] = []
    if cached.is_file():
        got = sha256_of(cached)
        if got == weights.sha256:
            return cached
        reasons.append(f"{cached}: {_mismatch(weights.sha256, got)}")
        logger.warning("%s is not %s and is fetched again: %s", cached, name, reasons[0])
    is_refused = bool(reasons)
    for source in weights.sources:
        try:
            return _take(weights, source, cached, progress=progress, patience_s=patience_s)
        except SourceSilent as error:
            reasons.append(f"{name_of(source)}: {error}")
            logger.info("weights %s: %s", name, reasons[-1])
        except WeightsRefused as error:
            is_refused = True
            reasons.append(f"{name_of(source)}: {error}")
            logger.warning("weights %s: refused, %s", name, reasons[-1])
        except OSError as error:
            raise WeightsUnavailable(
                f"weights {name}: cannot write to {cached.parent}: {error}; make room there or "
                "set NOCTULE_CACHE to another folder"
            ) from error
    family = WeightsRefused if is_refused else WeightsUnavailable
    raise family(
        f"weights {name}: no source delivered the right file.\n  "
        + "\n  ".join(reasons)
        + f"\nPut {weights.file} with sha256 {weights.sha256} at {cached} by hand, or try again "
        "when one of the sources can be reached."
    )


def _take(
    weights: Weights,
    source: UrlSource | PipSource | PackageSource,
    cached: Path,
    *,
    progress: Progress | None,
    patience_s: float,
) -> Path:
    """The verified file of one source; a download enters the cache in one step or not at all."""
    if isinstance(source, PackageSource):
        return _verified(find_packaged(source), weights)
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cached.parent, prefix=".fetch-") as scratch:
        fetched = fetch(
            source, weights, Path(scratch), progress=progress or _silently, patience_s=patience_s
        )
        _verified(fetched, weights).replace(cached)
    return cached


def _verified(path: Path, weights: Weights) -> Path:
    got = sha256_of(path)
    if got != weights.sha256:
        raise WeightsRefused(_mismatch(weights.sha256, got))
    return path


def _mismatch(expected: str, got: str) -> str:
    return f"expected sha256 {expected}, got {got}"


def _silently(_: Received) -> None:
    """Nobody watches."""


def _check_own(text: str, known: Mapping[str, Weights]) -> Path:
    """The operator's own file, if the manifest, the operator or its format vouches for it."""
    written, has_promise, promised = text.partition(TRUST)
    path = Path(written).expanduser()
    if not path.is_file():
        raise WeightsUnavailable(
            f"weights {written}: neither a known name ({', '.join(sorted(known))}) nor a file; "
            "write one of these names or the path of a weights file"
        )
    got = sha256_of(path)
    if has_promise:
        if got != promised.lower():
            raise WeightsRefused(
                f"weights {path}: {_mismatch(promised.lower(), got)}; "
                "get the right file, or correct the sha256 behind the path if you trust this one"
            )
        return path
    if path.suffix in CODELESS or any(got == weights.sha256 for weights in known.values()):
        return path
    raise WeightsRefused(
        f"weights {path}: nobody vouches for this file, and opening a checkpoint can run code "
        "that is hidden in it. If you trust where it comes from, write its sha256 behind the "
        f"path:\n  {written}{TRUST}{got}"
    )
