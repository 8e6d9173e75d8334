"""Styles, scripts and icons; browsers keep them, for their address changes with what they say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """One file."""

    content: bytes
    media_type: str


class Statics:
    """All files of `static/`, read once."""

    def __init__(self) -> None:
        self._files = {
            file.name: Static(
                content=file.read_bytes(), media_type=_TYPES[file.name.rpartition(".")[2]]
            )
            for file in (files("pipeline.web") / "static").iterdir()
            if file.name.rpartition(".")[2] in _TYPES
        }
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + b"\0" + self._files[name].content + b"\0")
        self.stamp = digest.hexdigest()[:12]
        """One for all, so that scripts can import each other by name alone."""

    def address(self, name: str) -> str:
        """Where browsers find a file; a name that is none fails when the page is made."""
        return f"/static/{self.stamp}/{self._files[name] and name}"

    def names(self) -> list[str]:
        """Of all files."""
        return sorted(self._files)

    def find(self, name: str) -> Static | None:
        """A file, None if there is none of this name."""
        return self._files.get(name)
