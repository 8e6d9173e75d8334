"""Live pictures, events and uploads: as they come, within limits, as far as may be seen."""

from __future__ import annotations

import io
import json
import struct
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from pipeline.api.errors import PictureRefused
from pipeline.api.events import MOST_WAITING, Event, Listener
from pipeline.api.uploads import cut_out, read_picture
from pipeline.live import is_wanted
from pipeline.searching import Found
from storage.desk.accounts import set_active, set_cameras
from storage.gallery import Part
from storage.sightings import record_sighting
from storage.verdicts import same
from streams.types import Modality
from tests.api_site import API, GATE, VAULT, Site, jpeg, open_site, write_live
from tests.processes import PATIENCE_S, wait_for
from tests.storage_builders import TEN_O_CLOCK_US, link_to, sighting


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("media")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For tests that leave it as it was."""
    with open_site(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


class Events:
    """What a listener is told, read in a thread until the block is left."""

    def __init__(self, client: httpx.Client, **headers: str) -> None:
        self._answer = client.stream("GET", f"{API}/events", headers=headers)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.has_ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        kind = ""
        try:
            with self._answer as answer:
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        kind = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        self.told.append((kind, json.loads(line.removeprefix("data: "))))
        except httpx.HTTPError:
            pass
        self.has_ended.set()

    def wait_for(self, kind: str, *, n: int = 1) -> list[dict[str, Any]]:
        def found() -> list[dict[str, Any]]:
            return [values for each, values in list(self.told) if each == kind]

        assert wait_for(lambda: len(found()) >= n), f"no {kind} came: {self.told}"
        return found()


def test_listeners_are_told_what_happens_as_far_as_they_may_see(site: Site) -> None:
    everything, part = Events(site.client("viewer")), Events(site.client("viewer-gate"))
    for events in (everything, part):
        events.wait_for("hello")
        events.wait_for("boxes")
    everything.wait_for("boxes", n=2)

    for number, camera in ((7, VAULT), (8, GATE)):
        visit = sighting(number, camera=camera, link=link_to(1), exemplars=())
        record_sighting(site.database, visit, now_us=TEN_O_CLOCK_US)
    same(site.database, _visit(6), _visit(3), by="ada", now_us=TEN_O_CLOCK_US)
    client = site.known("operator")
    client.post(f"{API}/alerts/A2/acknowledge", json={})
    client.post(f"{API}/alerts/A1/acknowledge", json={})

    assert {each["sighting"] for each in everything.wait_for("sighting", n=2)} == {"S6", "S7"}
    assert everything.wait_for("changed")[0]["identity"] == "P-0003"
    assert [each["alert"] for each in everything.wait_for("alert", n=2)] == ["A2", "A1"]
    assert [each["alert"] for each in part.wait_for("alert")] == ["A1"]
    assert [each["sighting"] for each in part.wait_for("sighting")] == ["S7"]
    assert all(VAULT not in json.dumps(values) for _, values in part.told)
    assert "changed" not in {kind for kind, _ in part.told}
    assert part.wait_for("boxes")[0]["boxes"][0]["candidate"] is None
    assert everything.wait_for("boxes")[0]["boxes"][0]["candidate"] == "P-0002"


def _visit(number: int) -> Any:
    return number


def test_who_comes_back_is_told_what_was_missed(shared: Site) -> None:
    events = Events(shared.client("viewer-gate"), **{"Last-Event-ID": "2"})

    assert [each["sighting"] for each in events.wait_for("sighting", n=2)] == ["S3", "S5"]


@pytest.mark.parametrize("odd", ["-1", "x", "9" * 30, "1 OR 1"])
def test_an_odd_last_event_id_is_none(shared: Site, odd: str) -> None:
    events = Events(shared.client("viewer"), **{"Last-Event-ID": odd})

    events.wait_for("hello")
    assert not [kind for kind, _ in events.told if kind == "sighting"]


def test_streams_end_when_the_account_does(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.api.streaming.RECHECK_S", 0.2)
    events = Events(site.client("viewer"))
    events.wait_for("hello")

    set_active(site.database, "viewer", False, by="test", now_us=site.desk.clock.now_us())

    assert events.has_ended.wait(PATIENCE_S)


def test_a_stream_ends_when_its_camera_may_not_be_seen_any_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.api.streaming.RECHECK_S", 0.2)
    with site.client("viewer").stream("GET", f"{API}/cameras/{VAULT}/stream") as answer:
        pictures = answer.iter_raw()
        assert b"Content-Type: image/jpeg" in next(pictures)

        now_us = site.desk.clock.now_us()
        set_cameras(site.database, "viewer", [GATE], by="test", now_us=now_us)

        assert sum(len(part) for part in pictures) < 1_000_000  # it ends


def test_the_live_picture_changes_with_the_watcher_s(site: Site) -> None:
    client = site.known("viewer-gate")
    first = client.get(f"{API}/cameras/gate/picture")
    assert first.content == jpeg(50)
    assert is_wanted(site.config.live_folder)

    with client.stream("GET", f"{API}/cameras/gate/stream") as answer:
        assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")
        parts = answer.iter_raw()
        assert jpeg(50) in next(parts)
        write_live(site, GATE, number=51)
        assert jpeg(51) in next(parts)

    assert client.get(f"{API}/cameras/gate/picture").headers["etag"] != first.headers["etag"]


def test_the_health_of_a_camera_is_told(site: Site) -> None:
    client = site.known("viewer")
    write_live(site, GATE, health="lost")

    told = {each["camera"]: each["health"] for each in client.get(f"{API}/cameras").json()["items"]}

    assert told[GATE]["state"] == "blind"
    assert told[VAULT]["state"] == "live"
    (site.config.live_folder / f"{VAULT}.json").write_text("{torn")
    assert client.get(f"{API}/cameras/{VAULT}").json()["health"]["state"] == "unknown"


def test_too_many_streams_are_refused_and_ended_ones_do_not_count(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    few = {"streams": 2}
    with open_site(tmp_path_factory.mktemp("few"), front_desk=few) as site:
        path = f"{API}/cameras/gate/stream"
        with site.client("viewer").stream("GET", path), site.client("admin").stream("GET", path):
            third = site.client("operator").get(path)
            assert (third.status_code, third.json()["error"]["code"]) == (503, "busy")

        def is_answered() -> bool:
            with site.client("operator").stream("GET", path) as answer:
                return answer.status_code == 200

        assert wait_for(is_answered), "a stream that ended still counts"


def test_a_slow_listener_loses_the_oldest_and_is_told_so() -> None:
    import asyncio

    async def listen() -> list[Event]:
        listener = Listener()
        for number in range(MOST_WAITING + 5):
            listener.put(Event(kind="sighting", cameras=None, values={"n": number}))
        for number in range(3):
            camera = frozenset({GATE})
            listener.put(Event(kind="boxes", cameras=camera, values={"n": number}))
        return await listener.take(wait_s=PATIENCE_S)

    told = asyncio.run(listen())

    assert told[0].kind == "reload"
    assert len(told) == MOST_WAITING + 1
    assert [event.values["n"] for event in told if event.kind == "boxes"] == [2]


def png_that_claims(width: int, height: int) -> bytes:
    """A small file that says it is large; its data unpacks to as much as it says."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(10_000_000), 9)

    def chunk(kind: bytes, content: bytes) -> bytes:
        told = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + told

    parts = (chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def saved(kind: str, size: tuple[int, int] = (40, 80), **options: Any) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, (200, 10, 10)).save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_of_the_usual_kinds_are_read(kind: str) -> None:
    pixels = read_picture(saved(kind))

    assert pixels.shape == (80, 40, 3)
    assert abs(int(pixels[5, 5, 0]) - 200) < 12


def test_a_picture_is_turned_as_its_camera_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    assert read_picture(saved("JPEG", exif=exif)).shape == (40, 80, 3)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a picture", id="text"),
        pytest.param(saved("BMP"), id="another kind"),
        pytest.param(saved("GIF"), id="yet another"),
        pytest.param(saved("PNG")[:60], id="torn"),
        pytest.param(saved("JPEG")[:300], id="torn JPEG"),
        pytest.param(png_that_claims(60_000, 60_000), id="bomb"),
        pytest.param(png_that_claims(2**31 - 1, 2**31 - 1), id="larger than memory"),
        pytest.param(png_that_claims(0, 0), id="nothing"),
        pytest.param(saved("PNG", (4, 400)), id="a line"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="SVG"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", id="PostScript"),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(PictureRefused):
        read_picture(content)


def test_a_box_cuts_the_person_out() -> None:
    pixels = np.arange(100 * 200 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 200, 3)

    part = cut_out(pixels, (0.25, 0.5, 0.5, 1.0))

    assert np.array_equal(part, pixels[50:100, 50:100])
    with pytest.raises(PictureRefused, match="smaller"):
        cut_out(pixels, (0.5, 0.5, 0.501, 1.0))


def search_part(site: Site, account: str, **form: str) -> tuple[httpx.Response, list[Part]]:
    """Search with a network that finds nobody and remembers where it was to look."""
    asked: list[Part] = []

    def look(_: object, *, part: Part, **__: object) -> tuple[Found, tuple[Modality, ...]]:
        asked.append(part)
        return Found(candidates=(), n_people=0), (Modality.VISIBLE,)

    site.desk.searcher.search = look  # type: ignore[method-assign,assignment]
    files = {} if "on_camera" in form else {"picture": ("x.jpg", saved("JPEG"), "image/jpeg")}
    answer = site.known(account).post(f"{API}/search", data=form, files=files)
    return answer, asked


def test_a_search_looks_only_where_one_may_see(shared: Site) -> None:
    answer, asked = search_part(shared, "operator-gate", reason="lost child")

    assert answer.status_code == 200, answer.text
    assert asked[0].cameras == frozenset({GATE})
    assert search_part(shared, "operator-gate", camera=VAULT)[0].status_code == 404
    assert search_part(shared, "operator-gate", on_camera=VAULT)[0].status_code == 404
    assert search_part(shared, "viewer")[0].status_code == 403
    newest = shared.known("admin").get(f"{API}/audit", params={"action": "search"}).json()
    assert newest["items"][0]["detail"]["reason"] == "lost child"


def test_a_box_on_the_live_picture_of_a_camera_is_searched_for(shared: Site) -> None:
    answer, asked = search_part(shared, "operator", on_camera=GATE, box="0.1,0.1,0.9,0.9")

    assert answer.status_code == 200, answer.text
    assert asked[0].cameras is None


@pytest.mark.parametrize(
    "form",
    [
        {"box": "1,2,3"}, {"box": "0.5,0,0.4,1"}, {"box": "nan,0,1,1"}, {"light": "x-ray"},
        {"from": "noon"}, {"camera": "../x"}, {"limit": "1000"}, {"reason": "a\x00b"},
    ],
    ids=str,
)  # fmt: skip
def test_odd_searches_are_refused(shared: Site, form: dict[str, str]) -> None:
    assert search_part(shared, "operator", **form)[0].status_code in (400, 404, 422)


def test_uploads_are_refused_before_anything_is_read(shared: Site) -> None:
    bomb = {"picture": ("x.png", png_that_claims(60_000, 60_000), "image/png")}
    huge = {"picture": ("x.jpg", b"\xff\xd8" + bytes(13_000_000), "image/jpeg")}
    client = shared.known("operator")

    refused = client.post(f"{API}/search", files=bomb)

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "picture_refused")
    assert client.post(f"{API}/search", files=huge).status_code == 413
    assert client.post(f"{API}/search", data={"light": "auto"}).status_code == 400
    many = [("picture", (f"{n}.jpg", b"x", "image/jpeg")) for n in range(1200)]
    assert client.post(f"{API}/search", files=many).status_code in (400, 413, 422)


def test_metrics_count_by_route_not_by_what_was_asked(shared: Site) -> None:
    client = shared.known("viewer")
    client.get(f"{API}/identities/P-1")
    client.get(f"{API}/there-is-no-such-canary-of-metrics")

    told = client.get(f"{API}/metrics").text

    assert 'route="/api/v1/identities/{person}",status="200"' in told
    assert 'noctule_camera_live{camera="gate"} 1.0' in told
    assert "canary-of-metrics" not in told


def test_metrics_of_the_whole_site_are_for_who_sees_all(shared: Site) -> None:
    refused = shared.known("admin-gate").get(f"{API}/metrics")

    assert refused.status_code == 403
    assert "all cameras" in refused.json()["error"]["message"]
    assert "noctule_" not in refused.text
