"""${NAME} in settings: secrets come from the environment, and no file holds them."""

from __future__ import annotations

import os
import re
from urllib.parse import quote

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def fill_in(template: str, *, quoted: tuple[int, int] = (0, 0)) -> str:
    """`template` with each ${NAME} taken from the environment.

    Args:
        quoted: First and last + 1 index of a part, such as `user:password` of an address, whose
            values are percent-encoded, so that any password will do.

    Raises:
        ValueError: A variable is not set; the message names it and never a value.
    """
    first, end = quoted

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in os.environ:
            raise ValueError(
                f"environment variable {name or '(empty name)'} is not set; set it, or write what "
                "it stands for instead of ${...}"
            )
        text = os.environ[name]
        return quote(text, safe="") if first <= match.start() < end else text

    return _VARIABLE.sub(value, template)
