"""noctule serve and user: the first start, the end, the watcher beside it, accounts by command."""

from __future__ import annotations

import json
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from storage.database import open_database
from storage.desk.accounts import accounts, find_account
from storage.desk.types import Role
from tests.api_site import API
from tests.cli import RunCli
from tests.delivery_sinks import make_certificate

WAIT_S = 120.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    words = "cameras: [{name: gate, source: gate.mp4}]\nstorage: {reserve_mb: 0}\n"
    file.write_text(words + "front_desk: {port: 0}\n")
    return file


@contextmanager
def started(config: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, which must end when the block is left."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pipeline.cli",
            "serve",
            "--config",
            str(config),
            "--no-warm",
            *words,
        ],
        stdout=subprocess.PIPE,
        stderr=(config.parent / "log").open("w"),
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=WAIT_S) in (0, -signal.SIGTERM)


def said(process: subprocess.Popen[str], pattern: str) -> str:
    """What the first line that fits says in the pattern's group."""
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(pattern, line)
        if found:
            return found[1]
    raise AssertionError(f"it ended without saying {pattern}")


def wait_until(what: str, path: Path, pattern: str) -> str:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = re.search(pattern, path.read_text())
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"{what} was not said: {path.read_text()}")


def test_the_first_start_prints_a_password_once_to_the_terminal_only(config: Path) -> None:
    with started(config) as first:
        url = said(first, r"Open (\S+)")
        password = said(first, r"one-time password (\S+)")
        login = {"name": "admin", "password": password}
        assert (
            httpx.post(f"{url}{API}/session", json=login, timeout=WAIT_S).json()["must_change"]
            is True
        )

    with started(config) as second:
        url = said(second, r"Open (\S+)")
        assert httpx.get(f"{url}{API}/ready", timeout=WAIT_S).json() == {"ready": True}
        second.send_signal(signal.SIGTERM)
        assert second.stdout is not None
        assert "password" not in second.stdout.read()
    kept = (config.parent / "log").read_text() + config.read_text()
    assert password not in kept
    assert "Traceback" not in kept


def test_the_watcher_runs_beside_it_and_starts_anew_with_another_configuration(
    config: Path,
) -> None:
    """There is no footage, so the watcher says so and waits for another configuration."""
    log = config.parent / "log"
    with started(config, "--watch") as process:
        said(process, r"Open (\S+)")
        wait_until("the missing file", log, r"the watcher died with code 1")
        config.write_text(config.read_text().replace("gate.mp4", "rtsp://[") + "\n")
        wait_until("the wrong address", log, r"cannot use its configuration")
        assert process.poll() is None, "whatever the watcher does, the pages go on"


def test_the_watcher_starts_anew_with_a_camera_of_the_pages_and_logs_are_json(
    config: Path,
) -> None:
    log = config.parent / "log"
    config.write_text("log_format: json\nstorage: {reserve_mb: 0}\nfront_desk: {port: 0}\n")
    with started(config, "--watch") as process:
        url = said(process, r"Open (\S+)")
        password = said(process, r"one-time password (\S+)")
        wait_until("the watcher without a camera", log, r"cannot use its configuration")
        with httpx.Client(base_url=f"{url}{API}", timeout=WAIT_S) as client:
            signed = client.post("/session", json={"name": "admin", "password": password}).json()
            client.headers["X-Noctule-CSRF"] = signed["csrf"]
            words = {"old": password, "new": "a canary that sings 7"}
            assert client.put("/session/password", json=words).status_code == 200
            asked = {"name": "dock", "source": "rtsp://op:pass-canary@127.0.0.1:1/1"}
            added = client.post("/cameras", json=asked)
            assert added.status_code == 201, added.text
            assert "by itself" in added.json()["watcher"]
        wait_until("the camera that is away", log, r"dock")
    lines = [line for line in log.read_text().splitlines() if not line.startswith("noctule: ")]
    told = [json.loads(line) for line in lines]
    assert {frozenset(each) for each in told} == {frozenset({"time", "level", "logger", "message"})}
    assert "pass-canary" not in log.read_text()


def test_a_server_that_is_stopped_while_its_network_loads_ends_in_good_order(
    config: Path,
) -> None:
    with started(config, "--warm") as process:
        said(process, r"Open (\S+)")
        time.sleep(0.5)
    assert "Traceback" not in (config.parent / "log").read_text()


def test_a_port_that_is_taken_is_told_in_one_line(config: Path, run_cli: RunCli) -> None:
    with started(config) as process:
        port = said(process, r"Open http://localhost:(\d+)")

        told = run_cli("serve", "--config", str(config), "--port", port, code=2)

        assert "cannot listen on" in told


def test_a_certificate_that_is_missing_is_told(config: Path, run_cli: RunCli) -> None:
    tls = "front_desk: {port: 0, tls_certificate: c.pem, tls_key: k.pem}\n"
    config.write_text(tls)

    told = run_cli("serve", "--config", str(config), code=2)

    assert str(config.parent / "c.pem") in told


@pytest.mark.parametrize("fault", ["another key", "no PEM", "a passphrase", "swapped"])
def test_a_certificate_that_cannot_be_used_is_told(
    config: Path, run_cli: RunCli, fault: str
) -> None:
    folder, other = config.parent, config.parent / "other"
    other.mkdir()
    certificate, key = make_certificate(folder), folder / "sink.key"
    make_certificate(other)
    if fault == "another key":
        key = other / "sink.key"
    elif fault == "no PEM":
        key.write_text("not a key")
    elif fault == "a passphrase":
        words = ["openssl", "ec", "-aes256", "-passout", "pass:secret", "-in", str(key)]
        subprocess.run([*words, "-out", str(folder / "k")], check=True, capture_output=True)
        key = folder / "k"
    else:
        certificate, key = key, other / "sink.pem"
    tls = f"front_desk: {{port: 0, tls_certificate: {certificate}, tls_key: {key}}}\n"
    config.write_text(config.read_text().replace("front_desk: {port: 0}\n", tls))

    told = run_cli("serve", "--config", str(config), code=2)

    assert "cannot be used together" in told
    assert str(key) in told
    assert "Traceback" not in told


def test_tls_is_spoken_where_it_is_configured(config: Path) -> None:
    certificate = make_certificate(config.parent)
    trusted = ssl.create_default_context(cafile=certificate)
    tls = "front_desk: {port: 0, tls_certificate: sink.pem, tls_key: sink.key}\n"
    config.write_text(config.read_text().replace("front_desk: {port: 0}\n", tls))

    with started(config) as process:
        url = said(process, r"Open (\S+)")
        password = said(process, r"one-time password (\S+)")
        login = {"name": "admin", "password": password}
        with httpx.Client(base_url=url, verify=trusted, timeout=WAIT_S) as client:
            answer = client.post(f"{API}/session", json=login)
            known = client.get(f"{API}/session")
            page = client.get("/password", headers={"Accept": "text/html"})

        assert url.startswith("https://")
        cookie = [part.strip() for part in answer.headers["set-cookie"].split(";")]
        assert cookie[0].startswith("__Host-noctule_session=")
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie)
        assert not any(part.startswith("Domain") for part in cookie)
        assert known.json()["name"] == "admin"
        assert page.status_code == 200
        assert page.headers["strict-transport-security"].startswith("max-age=")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url.replace("https", "http"), timeout=WAIT_S)


def test_accounts_are_managed_by_command(config: Path, run_cli: RunCli) -> None:
    given = ("--config", str(config))
    made = json.loads(
        run_cli("user", "add", "Ada", "--role", "operator", "--camera", "gate", "--json", *given)
    )
    assert re.fullmatch(r"(\w{5}-){3}\w{5}", made["one_time_password"])
    assert "no camera is called" in run_cli("user", "cameras", "ada", "nowhere", *given, code=2)
    run_cli("user", "add", "root", "--role", "admin", *given)
    run_cli("user", "role", "ada", "admin", *given)
    run_cli("user", "cameras", "ada", "--all", *given)
    run_cli("user", "disable", "root", *given)
    assert "last administrator" in run_cli("user", "disable", "ada", *given, code=1)
    secret = run_cli("user", "token", "make", "ada", "--name", "x", *given).strip()
    assert secret.startswith("noc_")
    assert secret not in run_cli("user", "token", "list", *given)
    run_cli("user", "token", "revoke", "1", *given)
    run_cli("user", "password", "ada", *given)
    listed = {each["name"]: each for each in json.loads(run_cli("user", "list", "--json", *given))}

    assert (listed["ada"]["role"], listed["ada"]["cameras"]) == ("admin", None)
    assert listed["root"]["is_active"] is False
    with open_database(f"sqlite:///{config.parent}/site/noctule.db") as database:
        assert find_account(database, "ADA").role is Role.ADMIN
        assert all(account.password_hash.startswith("$argon2id$") for account in accounts(database))
