"""The manifest of weights: every file known by name, its checksum and its sources."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated, Literal

import yaml
from pydantic import Field, TypeAdapter

from streams.config import Section

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="64 lower-case hex digits.")]
RelativePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)*$")]


class UrlSource(Section):
    """A plain download, usually from the maker."""

    kind: Literal["url"]
    url: Annotated[str, Field(pattern=r"^https?://[^@\s]+$", description="Without credentials.")]


class PipSource(Section):
    """A package of the Python registry that carries the file."""

    kind: Literal["pip"]
    requirement: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$", description="name==version, exact."),
    ]
    archive_sha256: Sha256
    member: Annotated[RelativePath, Field(description="Where the file lies in the archive.")]
    build_backend: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$",
            description="Build backend of a source archive, so that it can be kept from running; "
            "leave it out for a wheel.",
        ),
    ] = None


class PackageSource(Section):
    """A file that ships inside Noctule."""

    kind: Literal["package"]
    path: Annotated[RelativePath, Field(description="Below models/.")]


Source = Annotated[UrlSource | PipSource | PackageSource, Field(discriminator="kind")]


class Weights(Section):
    """One weights file: how to know it and where to get it."""

    file: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", description="Name in the cache.")
    ]
    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0, description="Bytes of the file, exactly.")]
    licence: Annotated[str, Field(min_length=3, description="SPDX identifier.")]
    input: Annotated[str, Field(min_length=3, description="What the network wants to see.")]
    sources: Annotated[tuple[Source, ...], Field(min_length=1, description="Tried in order.")]


@cache
def read_manifest() -> dict[str, Weights]:
    """All weights known by name. The file is part of the package, so it is read only once."""
    text = resources.files("models").joinpath("weights.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Weights]).validate_python(yaml.safe_load(text))
