"""Names that people give: of rules, zones, lines, persons. What looks the same is the same."""

from __future__ import annotations

import unicodedata

_REFUSED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""General categories of Unicode: control and format characters, half characters, none at all, and
line and paragraph ends. Format characters cannot be seen, or turn the letters around them."""


def plain_name(text: str) -> str:
    """The name as it is kept: composed, with plain single spaces and none around it.

    Raises:
        ValueError: It is empty, or holds something that cannot be seen, so that two names would
            look the same.

    >>> plain_name("  loading\\u00a0 dock ")
    'loading dock'
    >>> plain_name("cafe\\u0301") == "caf\\u00e9"
    True
    >>> plain_name("dock\\u200b")
    Traceback (most recent call last):
    ...
    ValueError: name: expected letters that can be seen, got U+200B (ZERO WIDTH SPACE); leave it out
    """
    for letter in text:
        if unicodedata.category(letter) in _REFUSED:
            called = unicodedata.name(letter, "a control character")
            raise ValueError(
                f"name: expected letters that can be seen, got U+{ord(letter):04X} ({called}); "
                "leave it out"
            )
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise ValueError("name: expected letters, got none; give one")
    return name
