"""Options that several verbs share, and the times in them."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from pipeline.config import SiteConfig, load_config
from pipeline.errors import UsageInvalid
from storage.types import Span
from streams.config import CameraConfig
from streams.moments import to_us

ConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="NOCTULE_CONFIG", help="The site's configuration file (YAML)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="Not before, e.g. 2026-06-01T14:00 (UTC).")
]
ToOption = Annotated[str | None, typer.Option("--to", help="Before, e.g. 2026-06-01T23:00+02:00.")]
CameraOption = Annotated[str | None, typer.Option("--camera", help="Only this camera.")]
OperatorOption = Annotated[
    str | None,
    typer.Option(
        "--as", help="Who asks or decides, for the audit; default: your name on this machine."
    ),
]
ModalityOption = Annotated[
    Literal["auto", "visible", "infrared"],
    typer.Option("--modality", help="The light it was taken in; auto looks at the colours."),
]

DEFAULT_CONFIG = Path("config.yaml")


def read_config(path: Path) -> SiteConfig:
    """The site's configuration, with relative paths made absolute."""
    return load_config(path)


def name_operator(name: str | None) -> str:
    """Who asks or decides: `name`, or whoever is logged in.

    Raises:
        UsageInvalid: The name is empty, or the machine has none for its user.
    """
    if name is not None:
        if not name.strip():
            raise UsageInvalid("--as: expected a name, got none")
        return name.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise UsageInvalid("--as: this machine has no name for you; say who you are") from None


def camera_from(option: str, **settings: object) -> CameraConfig:
    """A camera from what was typed; `option` names the argument that holds its address.

    Raises:
        UsageInvalid: With the words of the first mistake.
    """
    try:
        return CameraConfig.model_validate(settings)
    except ValidationError as error:
        mistake = error.errors(include_input=False)[0]
        names = {"source": option, "starts_at": "--start", "name": "--camera"}
        key = ".".join(map(str, mistake["loc"]))
        words = mistake["msg"].removeprefix("Value error, ")
        raise UsageInvalid(f"{names.get(key, f'--{key}')}: {words}") from None


def parse_time(text: str) -> datetime:
    """A point in time from ISO 8601 words; UTC where no offset is given.

    >>> parse_time("2026-06-01T14:00").isoformat()
    '2026-06-01T14:00:00+00:00'
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageInvalid(
            f"{text!r} is not a time; write it like 2026-06-01T14:00 or 2026-06-01T14:00:05+02:00"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def parse_span(start: str | None, end: str | None) -> Span:
    """The span between two optional times."""
    span = Span(
        from_us=to_us(parse_time(start)) if start else None,
        to_us=to_us(parse_time(end)) if end else None,
    )
    if span.is_empty:
        raise UsageInvalid(f"--to {end} is not after --from {start}")
    return span
