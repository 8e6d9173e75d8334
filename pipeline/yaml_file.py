"""Settings in YAML: closed, without ambiguity, every mistake told with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from streams.errors import ConfigInvalid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class YamlFile:
    """A file as it was read.

    Attributes:
        name: Used in errors.
        root: Knows the line of each key; None: the file is empty.
        values: Keys and values.
    """

    name: str
    root: yaml.Node | None
    values: dict[str, Any]

    def line_of(self, location: Sequence[int | str]) -> int:
        """Line (from 1) of the key at `location`, or of the deepest part of it that exists."""
        if self.root is None:
            return 1
        node, line = self.root, self.root.start_mark.line
        for step in location:
            child: Any = None
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == step:
                        line, child = key.start_mark.line, value
            elif (
                isinstance(node, yaml.SequenceNode)
                and isinstance(step, int)
                and step < len(node.value)
            ):
                child = node.value[step]
                line = child.start_mark.line
            if child is not None:
                node = child  # else it is no key, but the kind by which a section was chosen
        return line + 1

    def place(self, location: Sequence[int | str]) -> str:
        """File, line and key, as errors begin.

        >>> parse_yaml("cameras: []", name="site.yaml").place(("cameras", 0))
        'site.yaml:1: cameras.0'
        """
        key = ".".join(map(str, location)) or "configuration"
        return f"{self.name}:{self.line_of(location)}: {key}"

    def refusal(self, error: ValidationError, *, below: Sequence[int | str] = ()) -> ConfigInvalid:
        """All mistakes that pydantic found in the part at `below`, each in a line of its own."""
        return ConfigInvalid("\n".join(self._explain(error, below)))

    def _explain(self, error: ValidationError, below: Sequence[int | str]) -> Iterator[str]:
        for mistake in error.errors(include_input=False, include_url=False):
            if mistake["type"] == "extra_forbidden":
                words = "unknown key; `noctule config manual` lists all keys"
            else:
                words = mistake["msg"].removeprefix("Value error, ")
            yield f"{self.place((*below, *mistake['loc']))}: {words}"


def read_text(path: Path) -> str:
    """What the file holds.

    Raises:
        ConfigInvalid: It cannot be read as text.
        FileNotFoundError: There is none.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path}: cannot be read as text: {error}") from error


def parse_yaml(text: str, *, name: str) -> YamlFile:
    """Keys and values in `text`; `name` is used in errors.

    Raises:
        ConfigInvalid: It is no YAML, or it can be read in two ways.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return YamlFile(name=name, root=None, values={})
        _refuse_ambiguity(node, name)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigInvalid(f"{name}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigInvalid(f"{name}: not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigInvalid(f"{name}:1: expected keys and values such as `site: my site`")
    return YamlFile(name=name, root=node, values=values)


def _refuse_ambiguity(node: yaml.Node, name: str) -> None:
    """Duplicate keys lose one of two values silently; aliases can blow up: refuse both."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            raise ConfigInvalid(
                f"{name}:{current.start_mark.line + 1}: anchors and aliases (&, *) are not allowed"
            )
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in current.value:
                if key.value in keys:
                    raise ConfigInvalid(
                        f"{name}:{key.start_mark.line + 1}: the key {key.value!r} stands twice"
                    )
                keys.add(key.value)
                waiting.append(value)
        elif isinstance(current, yaml.SequenceNode):
            waiting.extend(current.value)
