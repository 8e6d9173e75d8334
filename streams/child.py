"""The parent's hold on one capture process: start it, listen to it, end it."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

from streams.messages import Job, Message

LONGEST_BACKLOG = 1 << 16
"""Bytes without a line end, or of error output, after which the oldest are forgotten."""


class CaptureProcess:
    """A running `streams.capture`, in a session of its own so that Ctrl-C does not reach it.

    The job, with the camera's password, goes through the process's standard input: command lines
    and environments can be read by others. That pipe stays open as a lifeline.

    Raises:
        OSError: No process can be started.
    """

    def __init__(self, job: Job) -> None:
        rooms = str(Path(__file__).resolve().parent.parent)
        paths = [rooms, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams.capture"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(job.ring,),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        if not (self._process.stdin and self._process.stdout and self._process.stderr):
            raise OSError("the capture process has no pipes")
        self._lifeline = self._process.stdin
        self._out = self._process.stdout
        self._err = self._process.stderr
        os.set_blocking(self._out.fileno(), False)
        os.set_blocking(self._err.fileno(), False)
        self._unread = b""
        self._complaint = b""
        order = pickle.dumps(job)
        with contextlib.suppress(BrokenPipeError):  # it died at once; `has_ended` tells
            self._lifeline.write(len(order).to_bytes(8, "little") + order)
            self._lifeline.flush()

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        """For selectors: readable when there are messages, or when the process has ended."""
        return self._out.fileno()

    def messages(self) -> list[Message]:
        """All messages since the last call, without waiting."""
        self._complaint = (self._complaint + _read_all(self._err.fileno()))[-LONGEST_BACKLOG:]
        *lines, rest = (self._unread + _read_all(self._out.fileno())).split(b"\n")
        self._unread = rest[-LONGEST_BACKLOG:]
        heard = []
        for line in lines:
            with contextlib.suppress(ValueError):
                heard.append(Message.from_line(line))
        return heard

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def epitaph(self) -> str:
        """How it ended and its last words; they may hold anything, so clean them before use."""
        words = self._complaint.decode(errors="replace").strip().splitlines()
        code = self._process.poll()
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return f"{how}: {words[-1]}" if words else how

    def ask_to_stop(self) -> None:
        """Let it say goodbye to its camera."""
        with contextlib.suppress(OSError):
            self._lifeline.close()

    def kill(self) -> None:
        """End it now, hanging or not, and release everything held for it."""
        self._process.kill()
        self._process.wait()
        self.ask_to_stop()
        self._out.close()
        self._err.close()


def _read_all(pipe: int) -> bytes:
    pieces = []
    while True:
        try:
            piece = os.read(pipe, 1 << 16)
        except BlockingIOError:
            break
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces)
