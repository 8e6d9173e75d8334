"""Operators of `benchmarks.desk_load`: they ask pages and routes, and hold streams open.

HTTP/1.1 on bare asyncio streams: the client shares the machine with what it measures, and a
library would cost more than the questions.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

API = "/api/v1"
PULSE_S = 5.0
"""Every page asks for the pulse this often."""
ANSWERS_WITHIN_S = 30.0
_LOST = (OSError, EOFError, ValueError)
"""What happens to connections; ValueError: what came is no HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the desk said; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """One connection that is kept, and opened again when the desk closed it."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.cookie = cookie
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, *, accept: str = "*/*", body: bytes = b""
    ) -> Answer:
        """One question, to the last byte of its answer."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                return await self._ask_once(method, path, accept, body)
        except _LOST:
            self.close()
            raise

    async def follow(self, path: str, *, accept: str) -> AsyncIterator[bytes]:
        """Pieces of an answer that goes on; ends when the desk ends it.

        Raises:
            ConnectionRefusedError: The desk said something else than 200.
        """
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            reader = await self._send("GET", path, accept, b"")
            status, headers = await _read_head(reader)
        if status != 200 or headers.get("transfer-encoding") != "chunked":
            raise ConnectionRefusedError(f"{path}: {status}")
        while piece := await _read_piece(reader):
            yield piece

    def close(self) -> None:
        """Let go of it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask_once(self, method: str, path: str, accept: str, body: bytes) -> Answer:
        reader = await self._send(method, path, accept, body)
        status, headers = await _read_head(reader)
        if headers.get("transfer-encoding") == "chunked":
            pieces = []
            while piece := await _read_piece(reader):
                pieces.append(piece)
            found = b"".join(pieces)
        else:
            found = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection") == "close":
            self.close()
        return Answer(status=status, headers=headers, body=found)

    async def _send(self, method: str, path: str, accept: str, body: bytes) -> asyncio.StreamReader:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._streams
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        sized = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost:{self._port}\r\nAccept: {accept}\r\n"
        writer.write(f"{head}{cookie}{sized}\r\n".encode() + body)
        await writer.drain()
        return reader


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines[1:] if line)
    return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def _read_piece(reader: asyncio.StreamReader) -> bytes:
    """One chunk; empty: it was the last."""
    n_bytes = int(await reader.readline(), 16)
    return (await reader.readexactly(n_bytes + 2))[:-2]


@dataclass(slots=True)
class Tally:
    """What all operators saw in one phase; seconds by kind of question."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    n_opened: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    n_lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    n_pieces: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    longest_silence_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def begin(self) -> None:
        """Forget what took how long so far, but neither errors nor lost streams."""
        self.seconds.clear()
        self.n_pieces.clear()
        self.longest_silence_s.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What may be asked for by name, as the desk told it."""

    cameras: Sequence[str]
    people: Sequence[str]
    crops: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How an operator works.

    Attributes:
        asked: What they ask for.
        think_s: Between two questions, on average.
        n_pictures: Cameras that each watches as motion JPEG.
    """

    asked: Asked
    think_s: float
    n_pictures: int


async def sign_in(port: int, name: str, password: str) -> str:
    """The cookie of a new session."""
    connection = Connection(port)
    body = json.dumps({"name": name, "password": password}).encode()
    try:
        answer = await connection.ask("POST", f"{API}/session", body=body)
    finally:
        connection.close()
    if answer.status != 200:
        raise ConnectionRefusedError(f"sign in: {answer.status} {answer.body[:200]!r}")
    return answer.headers["set-cookie"].partition(";")[0]


async def find_asked(connection: Connection, cameras: Sequence[str]) -> Asked:
    """People and crops that the desk knows now."""
    people = json.loads((await connection.ask("GET", f"{API}/identities")).body)["items"]
    visits = json.loads((await connection.ask("GET", f"{API}/sightings")).body)["items"]
    return Asked(
        cameras=cameras,
        people=[each["identity"] for each in people],
        crops=[
            f"{API}/sightings/{visit['sighting']}/pictures/{picture}"
            for visit in visits
            for picture in visit["pictures"]
        ],
    )


def questions(asked: Asked, rng: random.Random) -> list[tuple[str, str]]:
    """Kind and address of each question once, in any order."""
    person, crop = rng.choice(asked.people), rng.choice(asked.crops)
    camera = rng.choice(asked.cameras)
    found = [
        ("page live", "/live"),
        ("page people", "/people"),
        ("page person", f"/people/{person}"),
        ("page alerts", "/alerts"),
        ("page replay", "/replay"),
        ("sightings", f"{API}/sightings"),
        ("sightings of a camera", f"{API}/sightings?camera={camera}"),
        ("alerts", f"{API}/alerts"),
        ("people", f"{API}/identities"),
        ("one person", f"{API}/identities/{person}"),
        ("trajectory", f"{API}/identities/{person}/trajectory"),
        ("crop", crop),
        ("newest picture", f"{API}/cameras/{camera}/picture"),
    ]
    rng.shuffle(found)
    return found


async def work(number: int, port: int, cookie: str, habits: Habits, tally: Tally) -> None:
    """One operator, until cancelled."""
    cameras = habits.asked.cameras
    watched = [cameras[(number + k) % len(cameras)] for k in range(habits.n_pictures)]
    rng = random.Random(number)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_hold(Connection(port, cookie), "events", f"{API}/events", tally))
        for camera in watched:
            address = f"{API}/cameras/{camera}/stream"
            tasks.create_task(_hold(Connection(port, cookie), "pictures", address, tally))
        tasks.create_task(_pulse(Connection(port, cookie), rng, tally))
        tasks.create_task(_browse(Connection(port, cookie), habits, rng, tally))


async def _browse(connection: Connection, habits: Habits, rng: random.Random, tally: Tally) -> None:
    await asyncio.sleep(rng.uniform(0, habits.think_s))
    try:
        while True:
            for kind, address in questions(habits.asked, rng):
                await _time(connection, kind, address, tally)
                await asyncio.sleep(habits.think_s * rng.uniform(0.5, 1.5))
    finally:
        connection.close()


async def _pulse(connection: Connection, rng: random.Random, tally: Tally) -> None:
    await asyncio.sleep(rng.uniform(0, PULSE_S))
    try:
        while True:
            await _time(connection, "pulse", "/pulse", tally)
            await asyncio.sleep(PULSE_S)
    finally:
        connection.close()


async def _time(connection: Connection, kind: str, address: str, tally: Tally) -> None:
    accept = "text/html" if kind.startswith("page") else "*/*"
    began_s = time.perf_counter()
    try:
        answer = await connection.ask("GET", address, accept=accept)
    except _LOST:
        tally.errors[f"{kind}: connection"] += 1
        return
    if answer.status != 200:
        tally.errors[f"{kind}: {answer.status}"] += 1
        return
    tally.seconds[kind].append(time.perf_counter() - began_s)


async def _hold(connection: Connection, kind: str, address: str, tally: Tally) -> None:
    """Keep a stream; one that ends is lost, and opened again as browsers do."""
    mark = b"event: " if kind == "events" else b"--picture\r\n"
    heard_s = time.perf_counter()

    def hear() -> None:
        nonlocal heard_s
        now_s = time.perf_counter()
        tally.longest_silence_s[kind] = max(tally.longest_silence_s[kind], now_s - heard_s)
        heard_s = now_s

    try:
        while True:
            tally.n_opened[kind] += 1
            with contextlib.suppress(*_LOST):
                async for piece in connection.follow(address, accept="*/*"):
                    hear()
                    tally.n_pieces[kind] += piece.count(mark)
            tally.n_lost[kind] += 1
            connection.close()
            await asyncio.sleep(1.0)
    finally:
        hear()
        connection.close()
