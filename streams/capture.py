"""The capture process of one live camera: `python -m streams.capture`, started by `child`.

It reads its job from standard input, puts frames into the ring and tells of them on standard
output. It ends when its camera is lost, when standard input closes (asked to stop, or the parent
died), or when its parent is no longer its parent.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys
import threading
import time
from contextlib import ExitStack

from streams.errors import AccessDenied, NoctuleError, StreamLost, StreamStalled
from streams.messages import Job, Kind, Message
from streams.recording.recorder import Recorder
from streams.recording.types import Segment
from streams.ring import RingWriter
from streams.rtsp import RtspSource
from streams.types import CameraId

FAREWELL_S = 2.0
"""Once asked to stop, this long to say goodbye to the camera."""

LONGEST_TEXT = 1000
"""Characters; a whole line must fit into what a pipe takes at once."""

TELL_EVERY_S = 0.25
"""Packets are told of at most this often: the parent only wants to know that some arrive."""


class Teller:
    """Writes messages to the parent, and never waits for it on account of a mere frame."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._told_packet_s = 0.0
        os.set_blocking(pipe, False)

    def tell(self, message: Message) -> None:
        """Write one line; when the pipe is full, wait at most `FAREWELL_S`."""
        line = message.to_line()
        patience_s = time.monotonic() + FAREWELL_S
        while time.monotonic() < patience_s:
            try:
                os.write(self._pipe, line)  # at most PIPE_BUF bytes: all or nothing
            except BlockingIOError:
                if message.kind in (Kind.FRAME, Kind.PACKET):
                    return
                time.sleep(0.01)
            else:
                return

    def heard(self) -> None:
        """Tell that packets arrive."""
        now_s = time.monotonic()
        if now_s - self._told_packet_s >= TELL_EVERY_S:
            self._told_packet_s = now_s
            self.tell(Message(kind=Kind.PACKET))


def main() -> None:
    """Be one camera's capture process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the password
    parent = os.getppid()
    pipe = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not mix in
    size = int.from_bytes(sys.stdin.buffer.read(8), "little")
    job: Job = pickle.loads(sys.stdin.buffer.read(size))
    stopping = threading.Event()
    threading.Thread(target=_wait_for_end, args=(stopping, parent), daemon=True).start()
    teller = Teller(pipe)
    try:
        teller.tell(Message(kind=Kind.READY))
        _capture(job, teller, stopping)
    except NoctuleError as error:
        teller.tell(Message(kind=_kind(error), text=str(error)[:LONGEST_TEXT]))
    except BrokenPipeError:
        return


def _capture(job: Job, teller: Teller, stopping: threading.Event) -> None:
    writer = RingWriter(job.ring)
    with ExitStack() as stack:
        tap = None if job.recording is None else stack.enter_context(_recorder(job, teller))
        source = stack.enter_context(
            RtspSource(job.camera, run=job.run, heard=teller.heard, tap=tap)
        )
        teller.tell(Message(kind=Kind.OPENED))
        for frame in source.frames():
            if stopping.is_set():
                return
            number = writer.publish(frame)
            teller.tell(
                Message(kind=Kind.FRAME, number=number, captured_at_us=frame.captured_at_us)
            )


def _recorder(job: Job, teller: Teller) -> Recorder:
    def closed(segment: Segment) -> None:
        teller.tell(Message(kind=Kind.SEGMENT, segment=segment))

    def troubled(words: str) -> None:
        teller.tell(Message(kind=Kind.RECORDING, text=words[:LONGEST_TEXT]))

    if job.recording is None:
        raise ValueError("the job asks for no recording")
    return Recorder(job.recording, CameraId(job.camera.name), closed=closed, troubled=troubled)


def _wait_for_end(stopping: threading.Event, parent: int) -> None:
    """Notice the wish to stop, and see to it even if the main thread hangs in a decoder."""
    closed = threading.Event()

    def listen() -> None:
        while sys.stdin.buffer.read(1):
            pass
        closed.set()

    threading.Thread(target=listen, daemon=True).start()
    while not closed.wait(1.0):
        if os.getppid() != parent:
            break
    stopping.set()
    time.sleep(FAREWELL_S)
    os._exit(0)


def _kind(error: NoctuleError) -> Kind:
    if isinstance(error, AccessDenied):
        return Kind.ACCESS_DENIED
    if isinstance(error, StreamStalled):
        return Kind.STALLED
    return Kind.STREAM_ENDED if isinstance(error, StreamLost) else Kind.CONNECT_FAILED


if __name__ == "__main__":
    main()
