"""The `noctule` command as its user calls it, in this process."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

import pytest

from pipeline.cli import app


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a call printed and how it ended."""

    code: int
    out: str
    err: str


class RunCli(Protocol):
    """Calls the command, which must end with `code`; returns stdout, or stderr if that is not 0."""

    def __call__(self, *words: str, code: int = 0) -> str: ...


def call(
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Told:
    capsys.readouterr()
    monkeypatch.setattr("sys.argv", ["noctule", *words])
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        with pytest.raises(SystemExit) as ended:
            app.main()
    finally:  # a process of its own would take its logging with it
        root.handlers[:] = handlers
        root.setLevel(level)
    told = capsys.readouterr()
    return Told(code=int(ended.value.code or 0), out=told.out, err=told.err)
