"""Recorded segments in real players: over the real server, from the first picture to the last."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from storage.desk.segments import record_segments, segments
from tests.api_site import API, VAULT, Site, open_site
from tests.recording_builders import START_US, US, counted_film, record_film
from tests.web_browser import chromium, window

LIST = f"{API}/cameras/{VAULT}/recordings/playlist.m3u8?from={START_US}&to={START_US + 60 * US}"
N_PICTURES = 80
PLAY = """async (address) => {
  const video = document.createElement("video");
  document.body.append(video);
  Object.assign(video, {muted: true, src: address, playbackRate: 4});
  const ended = new Promise((done, fail) => {
    video.addEventListener("ended", done);
    video.addEventListener("error", () => fail(new Error(video.error.message)));
  });
  video.play();
  await ended;
  return {at: video.currentTime, n: video.getVideoPlaybackQuality().totalVideoFrames};
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A live camera recorded for four seconds, and after a gap of six for four more."""
    folder = tmp_path_factory.mktemp("playing")
    film = counted_film(folder / "film.mp4")
    with open_site(folder, with_pages=True, filled=False, live_only=True) as opened:
        for from_us in (START_US, START_US + 10 * US):
            found = record_film(
                film, opened.config.recordings_folder, camera=VAULT, from_us=from_us
            )
            record_segments(opened.database, found)
        yield opened


def test_ffmpeg_decodes_every_picture_of_a_playlist(site: Site) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is missing: apt-get install ffmpeg")

    shown = subprocess.run(
        ["ffmpeg", "-v", "error", "-headers", f"Authorization: Bearer {site.tokens['viewer']}\r\n",
         "-i", site.url + LIST, "-map", "0:v", "-f", "framecrc", "-"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    times = [int(line.split(",")[2]) for line in shown.stdout.splitlines() if line[0] != "#"]
    assert times == list(range(N_PICTURES)), shown.stderr


def test_chromium_plays_a_playlist_to_its_end(site: Site) -> None:
    with chromium() as browser, window(browser, site, "viewer") as seen:
        page = seen.open("/live")
        kind = page.evaluate("document.createElement('video').canPlayType('application/x-mpegurl')")
        if not kind:
            pytest.skip("this Chromium plays no HLS by itself")

        told: dict[str, Any] = page.evaluate(PLAY, LIST)

        assert told["at"] == pytest.approx(8.0, abs=0.05)
        assert told["n"] == N_PICTURES


def test_parts_are_whole_and_say_how_long_they_are(site: Site) -> None:
    client = site.known("viewer")
    base = f"{API}/cameras/{VAULT}/recordings"

    head = client.get(f"{base}/head.mp4", params={"at": START_US})
    part = client.get(f"{base}/part.mp4", params={"at": START_US, "later": 7})

    assert head.content[4:8] == b"ftyp"
    assert int(part.headers["content-length"]) == len(part.content)
    assert part.content[4:8] == b"moof"
    assert client.get(f"{base}/part.mp4", params={"at": 5, "later": 0}).status_code == 404


def test_a_file_that_cannot_be_opened_any_more_is_absent(site: Site) -> None:
    (*_, last) = segments(site.database)
    place = site.config.recordings_folder / last.segment.path
    hidden = place.rename(place.with_suffix(".away"))
    place.mkdir()
    try:
        for name in ("head.mp4", "part.mp4"):
            asked = {"at": last.segment.from_us, "later": 0}
            path = f"{API}/cameras/{VAULT}/recordings/{name}"
            assert site.known("viewer").get(path, params=asked).status_code == 404
    finally:
        place.rmdir()
        hidden.rename(place)
