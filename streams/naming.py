"""Names that people give: of rules, zones, lines, persons. What looks the same is the same."""

from __future__ import annotations

import unicodedata

_REFUSED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""General categories of Unicode: control and format characters, half characters, none at all, and
line and paragraph ends. Format characters cannot be seen, or turn the letters around them."""
_JOINERS = frozenset({"\u200c", "\u200d"})
"""Format characters that change how their neighbours look: in Persian words, in emoji."""


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
    >>> plain_name("\u0645\u06cc\u200c\u0631\u0648\u062f") == "\u0645\u06cc\u200c\u0631\u0648\u062f"
    True
    """
    for place, letter in enumerate(text):
        if not _is_seen(letter) and not _joins(text, place):
            called = unicodedata.name(letter, "a control character")
            raise ValueError(
                f"name: expected letters that can be seen, got U+{ord(letter):04X} ({called}); "
                "leave it out"
            )
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise ValueError("name: expected letters, got none; give one")
    return name


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) not in _REFUSED


def _joins(text: str, place: int) -> bool:
    """Whether it is a joiner between two letters, which are not both of ASCII: those look as if it
    were not there."""
    around = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
    return (
        text[place] in _JOINERS
        and len(around) == 2
        and not around.isascii()
        and all(_is_seen(letter) and not letter.isspace() for letter in around)
    )
