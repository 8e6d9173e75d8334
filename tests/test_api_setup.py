"""Cameras are added in the pages: looked at, kept apart, followed at once, told without secrets."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.api.errors import CameraUnusable
from pipeline.config import load_config
from storage.audit import audit_entries
from streams.config import CameraConfig
from streams.errors import ConfigInvalid
from tests.api_site import API, GATE, VAULT, Site, jpeg, open_site
from tests.test_streams_discovery import answer, device

ADDRESS = "rtsp://op:pass-canary@192.0.2.7/stream1?token=pass-canary"
SHOWN = "rtsp://192.0.2.7/stream1?..."


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site whose config.yaml names the live camera `vault-canary` only."""
    with open_site(tmp_path, filled=False, live_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same, for questions that change nothing."""
    folder = tmp_path_factory.mktemp("unchanged")
    (folder / "out.mp4").symlink_to("/etc/passwd")
    with open_site(folder, filled=False, live_only=True) as opened:
        yield opened


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Site]:
    """A site whose cameras are recordings."""
    with open_site(tmp_path, filled=False, recorded_only=True) as opened:
        yield opened


def kept(site: Site) -> list[dict[str, Any]]:
    file = site.folder / "cameras.yaml"
    return list(yaml.safe_load(file.read_text())["cameras"]) if file.exists() else []


def names(site: Site) -> list[str]:
    """Cameras that are configured now."""
    listed = site.known("admin").get(f"{API}/cameras").json()["items"]
    return [each["camera"] for each in listed if each["is_configured"]]


def test_an_added_camera_is_there_at_once_and_its_password_in_no_answer(site: Site) -> None:
    client = site.known("admin")
    asked = {"name": "dock", "source": ADDRESS, "modality": "infrared", "transport": "udp"}

    added = client.post(f"{API}/cameras", json=asked)

    assert added.status_code == 201, added.text
    assert added.json()["address"] == SHOWN
    assert "start the watcher anew" in added.json()["watcher"]
    assert names(site) == ["dock", VAULT]
    assert kept(site) == [asked]
    assert stat.S_IMODE((site.folder / "cameras.yaml").stat().st_mode) == 0o600
    for path in ("cameras", "cameras/dock", "audit"):
        assert "pass-canary" not in client.get(f"{API}/{path}").text
    told = [each for each in audit_entries(site.database) if each.action == "add camera"]
    assert [(each.who, each.subject, each.detail) for each in told] == [
        ("admin", "dock", {"address": SHOWN})
    ]


def test_a_camera_is_changed_and_what_is_left_out_stays(site: Site) -> None:
    client = site.known("admin")
    client.post(f"{API}/cameras", json={"name": "dock", "source": ADDRESS})

    changed = client.put(f"{API}/cameras/dock", json={"transport": "udp"})
    moved = client.put(f"{API}/cameras/dock", json={"source": "rtsp://192.0.2.8/2"})

    assert (changed.status_code, changed.json()["address"]) == (200, SHOWN)
    assert moved.json()["address"] == "rtsp://192.0.2.8/2"
    assert kept(site) == [{"name": "dock", "source": "rtsp://192.0.2.8/2", "transport": "udp"}]


def test_a_camera_is_taken_away_and_what_stands_in_the_configuration_is_not(site: Site) -> None:
    client = site.known("admin")
    client.post(f"{API}/cameras", json={"name": "dock", "source": ADDRESS})

    assert client.delete(f"{API}/cameras/dock").status_code == 200
    assert (names(site), kept(site)) == ([VAULT], [])
    for refused in (
        client.delete(f"{API}/cameras/{VAULT}"),
        client.put(f"{API}/cameras/{VAULT}", json={"transport": "udp"}),
    ):
        assert refused.status_code == 409
        assert refused.json()["error"]["what_to_do"] == "change config.yaml"
    assert client.delete(f"{API}/cameras/dock").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        pytest.param({"name": VAULT}, 409, "already", id="name of the configuration"),
        pytest.param({"name": "a b"}, 422, "name", id="name"),
        pytest.param({"source": "http://op:pass-canary@x/1"}, 400, "protocol", id="protocol"),
        pytest.param({"source": "rtsp://op:pass-canary@["}, 400, "host", id="host"),
        pytest.param({"source": "rtsp://x/${HOME}"}, 400, "environment", id="environment"),
        pytest.param({"source": "/etc/passwd"}, 400, "no such recording", id="file elsewhere"),
        pytest.param({"source": "../x/a.mp4"}, 400, "no such recording", id="file above"),
        pytest.param({"source": "~/a.mp4"}, 400, "no such recording", id="home"),
        pytest.param({"source": "a" * 2000}, 400, "no such recording", id="long name"),
        pytest.param({"source": "out.mp4"}, 400, "no such recording", id="link out"),
        pytest.param({"source": "gate.mp4"}, 409, "cannot be watched beside", id="mixed"),
        pytest.param({"starts_at": "2026-06-01T14:00Z"}, 400, "own time", id="start of live"),
        pytest.param({"region": [1, 0, 0, 1]}, 400, "x0 < x1", id="region"),
        pytest.param({"fps": 3}, 422, "fps: Extra", id="unknown setting"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_words(
    unchanged: Site, asked: dict[str, Any], status: int, words: str
) -> None:
    refused = unchanged.known("admin").post(
        f"{API}/cameras", json={"name": "dock", "source": ADDRESS} | asked
    )

    assert refused.status_code == status, refused.text
    assert words in refused.text
    assert "pass-canary" not in refused.text
    assert kept(unchanged) == []


def test_recordings_below_the_folder_are_watched_beside_recordings_only(recorded: Site) -> None:
    (recorded.folder / "films").mkdir()
    (recorded.folder / "films/a.mp4").touch()
    client = recorded.known("admin")
    asked = {"name": "a", "source": "films/a.mp4", "starts_at": "2026-06-01T14:00:00+02:00"}

    added = client.post(f"{API}/cameras", json=asked)
    live = client.post(f"{API}/cameras", json={"name": "dock", "source": ADDRESS})

    assert (added.status_code, added.json()["address"]) == (201, "films/a.mp4")
    assert live.status_code == 409
    assert f"recording such as {GATE}" in live.json()["error"]["message"]
    assert [camera.source.get_secret_value() for camera in recorded.desk.config.cameras][1:] == [
        str(recorded.folder / "films/a.mp4")
    ]


def test_the_desk_follows_the_file_whoever_writes_it(site: Site) -> None:
    file = site.folder / "cameras.yaml"

    file.write_text("cameras: [{name: yard, source: 'rtsp://192.0.2.9/1'}]\n")
    assert names(site) == [VAULT, "yard"]
    assert site.desk.recordings.knows(site.desk.config.cameras[-1].name)  # type: ignore[arg-type]

    file.write_text("cameras: [{name: yard, source: 'ftp://op:pass-canary@x'}]\n")
    assert names(site) == [VAULT, "yard"], "what cannot be used changes nothing"
    refused = site.known("admin").post(f"{API}/cameras", json={"name": "d", "source": ADDRESS})
    assert refused.status_code >= 400
    assert "pass-canary" not in refused.text

    file.unlink()
    assert names(site) == [VAULT]


def test_secrets_that_stand_in_the_file_as_variables_stay_variables(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YARD_PASSWORD", "pass-canary")
    source = "rtsp://op:${YARD_PASSWORD}@192.0.2.9/1"
    (site.folder / "cameras.yaml").write_text(f"cameras: [{{name: yard, source: '{source}'}}]\n")

    site.known("admin").put(f"{API}/cameras/yard", json={"transport": "udp"})

    assert kept(site) == [{"name": "yard", "source": source, "transport": "udp"}]


def test_where_the_file_cannot_be_written_it_says_so(site: Site) -> None:
    site.desk.now.file.path = site.folder / "nowhere" / "cameras.yaml"

    refused = site.known("admin").post(f"{API}/cameras", json={"name": "d", "source": ADDRESS})

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "unwritable")


def test_a_look_says_what_is_good_and_what_to_change(recorded: Site) -> None:
    folder = recorded.folder / "pictures"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))

    seen = recorded.known("admin").post(f"{API}/cameras/probe", json={"source": "pictures"})

    assert seen.status_code == 200, seen.text
    assert (seen.json()["codec"], seen.json()["width_px"]) == ("images", 32)
    assert "too small to tell apart" in seen.json()["advice"][0]
    assert seen.json()["camera"] == "pictures"


def test_a_camera_that_is_watched_is_looked_at_by_its_name(
    unchanged: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def probe(camera: CameraConfig, *, folder: Path) -> dict[str, object]:
        looked.append(f"{camera.source.get_secret_value()} {camera.transport} {folder.name}")
        raise CameraUnusable("it does not answer")

    monkeypatch.setattr(unchanged.desk.looking, "probe", probe)
    admin = unchanged.known("admin")
    asked = {"camera": VAULT, "transport": "udp"}

    told = admin.post(f"{API}/cameras/probe", json=asked)

    assert told.status_code == 409
    assert "secret-canary" not in told.text
    assert looked == [f"rtsp://op:secret-canary@10.0.0.9/vault udp {unchanged.folder.name}"]
    for odd in ({}, {**asked, "source": ADDRESS}):
        assert admin.post(f"{API}/cameras/probe", json=odd).status_code == 400
    assert admin.post(f"{API}/cameras/probe", json={"camera": "nowhere"}).status_code == 404


def test_a_camera_that_does_not_answer_is_told_without_its_password(unchanged: Site) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    asked = {"source": f"rtsp://op:pass-canary@127.0.0.1:{port}/1"}

    failed = unchanged.known("admin").post(f"{API}/cameras/probe", json=asked)

    assert (failed.status_code, failed.json()["error"]["code"]) == (409, "camera_unusable")
    assert "127.0.0.1" in failed.json()["error"]["message"]
    assert "pass-canary" not in failed.text


def test_a_look_has_an_end(unchanged: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The camera takes the connection and says nothing."""
    monkeypatch.setattr("pipeline.api.looking.PROBE_S", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = {"source": f"rtsp://op:pass-canary@127.0.0.1:{silent.getsockname()[1]}/1"}
        told = unchanged.known("admin").post(f"{API}/cameras/probe", json=asked)

    assert told.status_code == 409
    assert "within 2 s" in told.text
    assert "pass-canary" not in told.text


@pytest.mark.parametrize("look", ["probe", "discover"])
def test_nobody_looks_while_another_does(unchanged: Site, look: str) -> None:
    with unchanged.desk.looking._alone():
        beside = unchanged.known("admin").post(f"{API}/cameras/{look}", json={"source": ADDRESS})

    assert beside.status_code == 503


def test_cameras_that_answer_in_the_network_are_listed(
    unchanged: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with device(lambda number: [answer(number)]) as address:
        monkeypatch.setattr("streams.discovery.GROUP", address)
        found = unchanged.known("admin").post(f"{API}/cameras/discover")

    assert found.json() == {"items": [{"address": "192.0.2.9", "name": "Yard east", "model": "X7"}]}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text("site: yard\ncameras:\n- {name: gate, source: 'rtsp://192.0.2.1/1'}\n")
    return file


def test_the_configuration_holds_the_cameras_of_both_files(config: Path) -> None:
    words = "linking: {overlapping: [[gate, dock]]}\n"
    config.write_text(config.read_text() + words)
    added = config.with_name("cameras.yaml")
    added.write_text(json.dumps({"cameras": [{"name": "dock", "source": ADDRESS}]}))

    assert [camera.name for camera in load_config(config).cameras] == ["gate", "dock"]

    added.unlink()
    with pytest.raises(ConfigInvalid, match="no camera is named 'dock'"):
        load_config(config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "cameras:\n- name: dock\n  source: rtsp://x/1\n- source: rtsp://x/2\n  name: gate\n",
            "cameras.yaml:5: cameras.1.name: the name 'gate' is used twice, also in",
            id="in both",
        ),
        pytest.param(
            "cameras:\n- {name: a, source: 'rtsp://x/1'}\n- {name: a, source: 'rtsp://x/1'}\n",
            "cameras.yaml:3: cameras.1.name: the name 'a' is used twice",
            id="twice",
        ),
        pytest.param(
            "cameras:\n- name: a\n  source: ftp://op:pass-canary@x\n",
            "cameras.yaml:3: cameras.0.source: protocol",
            id="source",
        ),
        pytest.param("site: x\n", "cameras.yaml:1: site: unknown key", id="key"),
        pytest.param("cameras: x\n", "cameras.yaml:1: cameras: expected a list", id="no list"),
        pytest.param("cameras: [1]\n", "cameras.yaml:1: cameras.0:", id="no camera"),
        pytest.param("cameras: [\n", "cameras.yaml:2: not valid YAML", id="no YAML"),
    ],
)
def test_mistakes_in_the_file_are_refused_with_its_line(
    config: Path, text: str, words: str
) -> None:
    config.with_name("cameras.yaml").write_text(text)

    with pytest.raises(ConfigInvalid) as refusal:
        load_config(config)

    assert words in str(refusal.value)
    assert "pass-canary" not in str(refusal.value)


def test_the_file_may_be_elsewhere(config: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/own.yaml").write_text("cameras: [{name: dock, source: 'rtsp://x/1'}]\n")
    config.write_text("cameras_file: kept/own.yaml\n")

    site = load_config(config)

    assert [camera.name for camera in site.cameras] == ["dock"]
    assert site.cameras_file == tmp_path / "kept/own.yaml"
