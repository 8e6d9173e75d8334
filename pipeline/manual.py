"""`config.yaml` is the manual: this writes it from the settings themselves, so it cannot drift."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pipeline.config import SiteConfig
from streams.config import CameraConfig, Section

_WIDTH = 98
_TITLE = """\
# Every setting of noctule, with its meaning, unit and default. A key that is left out keeps its
# default; an unknown key is refused with its line. Relative paths start at this file's folder.
# Secrets come from the environment: write ${NAME} where a password belongs.
# Check with `noctule config check`; this file was written by `noctule config manual`.
"""


def manual(site: SiteConfig) -> str:
    """The YAML file that says what `site` says, every key explained.

    Addresses are written as they are, with their secrets: meant for defaults and examples.
    """
    return _TITLE + "\n".join(_section(site, indent=0)) + "\n"


def _section(section: Section, *, indent: int) -> Iterator[str]:
    pad = " " * indent
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if indent == 0:
            yield ""
        yield from _comment(field, indent)
        if isinstance(value, Section):
            yield f"{pad}{name}:"
            yield from _section(value, indent=indent + 2)
        elif name == "cameras":
            yield from _cameras(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            yield f"{pad}{name}:"
            yield from (f"{pad}  - {_scalar(_named_first(each))}" for each in value)
        else:
            yield f"{pad}{name}: {_scalar(value)}"


def _cameras(cameras: tuple[CameraConfig, ...]) -> Iterator[str]:
    yield "# Keys of one camera:"
    for name, field in CameraConfig.model_fields.items():
        text = f"  {name}: {field.description}{_default(field)}"
        yield from textwrap.wrap(
            text, _WIDTH, initial_indent="# ", subsequent_indent="#     ", break_on_hyphens=False
        )
    if not cameras:
        yield "cameras: []"
        return
    yield "cameras:"
    for camera in cameras:
        mark = "- "
        for name in CameraConfig.model_fields:
            if name in camera.model_fields_set:
                yield f"  {mark}{name}: {_scalar(getattr(camera, name))}"
                mark = "  "


def _comment(field: FieldInfo, indent: int) -> list[str]:
    text = f"{field.description}{_default(field)}"
    pad = " " * indent + "# "
    return textwrap.wrap(
        text, _WIDTH, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return " Required."
    default = field.get_default(call_default_factory=True)
    if default is None or isinstance(default, Section) or default == ():
        return ""
    return f" Default: {_scalar(default)}."


def _named_first(section: Section) -> dict[str, Any]:
    """What one of several rules or channels sets, its name first."""
    keys = sorted(item := _item(section), key=lambda key: (key != "name", key != "kind"))
    return {key: item[key] for key in keys}


def _item(value: Any) -> Any:
    """A member of a list, as YAML knows it."""
    if isinstance(value, Section):
        value = value.model_dump(by_alias=True, exclude_defaults=True)
    if isinstance(value, dict):
        return {key: _item(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_item(each) for each in value]
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def _scalar(value: Any) -> str:
    """A value as YAML in one line."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    elif isinstance(value, datetime):
        return value.isoformat()
    elif isinstance(value, Path):
        value = str(value)
    elif isinstance(value, Enum):
        value = value.value
    elif isinstance(value, tuple):
        value = [_item(item) for item in value]
    line = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
    )
    return line.removesuffix("\n").removesuffix("...").removesuffix("\n")
