"""Who it may be is said while the person is in view, and changes nothing of what is decided."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from benchmarks.sites import into_folder
from models.config import DetectorConfig
from models.detect.load import load_detector
from models.fetch import Received
from models.types import Crop, Detections, Embeddings
from pipeline.config import SiteConfig, load_config
from pipeline.linking.gallery import Gallery
from pipeline.live import want
from pipeline.run import watch as watching
from pipeline.run.first_look import FirstLooks
from pipeline.run.minds import Minds
from pipeline.run.perceive import Perception
from pipeline.run.publish import Publisher
from pipeline.run.remember import Memory
from pipeline.run.watch import Progress, watch
from pipeline.tracking.config import TrackingConfig
from pipeline.tracking.tracklets import CameraTracker
from pipeline.types import TrackKey, Tracklet
from storage.database import Database, open_database
from storage.gallery import gallery as gallery_rows
from storage.sightings import sightings
from storage.types import Decision, NewLink, Sighting
from streams.clock import SystemClock
from streams.types import CameraId, Frame
from tests.processes import wait_for
from tests.streams_builders import cut_video
from tests.test_pipeline_publish import Knowing, site_of
from tests.test_pipeline_remember import Counting, OneLook, Sure, memory_of, part_of_a_view
from tests.tracking_builders import START_US, Walker, follow, footage

PROJECT = Path(__file__).parents[1]
GATE = CameraId("gate")


def looked_at(
    film: Sequence[tuple[Frame, Detections]], config: TrackingConfig
) -> tuple[list[Tracklet], list[Tracklet]]:
    """First looks, and what was told, of a camera's footage."""
    tracker = CameraTracker(GATE, config)
    views: list[Tracklet] = []
    told: list[Tracklet] = []
    for frame, detections in film:
        told += tracker.update(frame, detections)
        views += tracker.first_looks(min_quality=0.1)
    return views, told + tracker.cut()


def test_a_view_is_looked_at_early_and_whenever_it_lasts_twice_as_long() -> None:
    film = list(footage([Walker(x_px=100)], seconds=100))

    views, _ = looked_at(film, TrackingConfig())

    ages_s = [(view.last_seen_us - START_US) / 1e6 for view in views]
    assert ages_s == pytest.approx([3, 6, 12, 24, 48, 96])
    moments = [crop.captured_at_us for view in views for crop in view.crops]
    assert len(moments) == len(set(moments))
    assert max(len(view.crops) for view in views) <= 3


def test_looks_change_nothing_of_what_is_told() -> None:
    film = list(footage([Walker(x_px=10, speed_px_s=8), Walker(x_px=400)], seconds=40))

    _, told = looked_at(film, TrackingConfig())

    alone = follow(film)
    assert len(told) == len(alone) == 4
    for one, other in zip(told, alone, strict=True):
        assert (one.track, one.part, one.is_last) == (other.track, other.part, other.is_last)
        assert [c.captured_at_us for c in one.crops] == [c.captured_at_us for c in other.crops]
        assert [c.quality for c in one.crops] == [c.quality for c in other.crops]


def test_zero_seconds_turn_first_looks_off_and_poor_pictures_put_them_off() -> None:
    film = list(footage([Walker(x_px=100)], seconds=10))
    tiny = [(replace(frame, pixels=frame.pixels // 100), found) for frame, found in film]

    assert looked_at(film, TrackingConfig(first_look_s=0))[0] == []
    assert looked_at(tiny, TrackingConfig())[0] == []


def seen(tracklet: Tracklet, seconds: Sequence[int]) -> Tracklet:
    """The tracklet with one picture at each of these seconds after its beginning."""
    crops = tuple(
        replace(tracklet.crops[0], captured_at_us=tracklet.first_seen_us + second * 1_000_000)
        for second in seconds
    )
    return replace(tracklet, crops=crops)


def test_a_first_look_names_who_it_may_be_and_nobody_learns_from_it(tmp_path: Path) -> None:
    gallery = Gallery(4)

    with memory_of(tmp_path, calibration=Sure(), gallery=gallery) as (memory, database):
        memory.remember(part_of_a_view(0, n_crops=1, camera="yard", is_last=True))
        before = rows_of(database)
        found = memory.first_look(part_of_a_view(3, n_crops=2))

        assert found is not None
        assert (found.decision, found.candidate) == (Decision.LINK, 1)
        assert rows_of(database) == before
        assert gallery.n_looks == 1


def test_who_is_known_already_is_not_looked_at_again(tmp_path: Path) -> None:
    embedder = Counting()

    with memory_of(tmp_path, embedder=embedder, calibration=Sure()) as (memory, _):
        memory.remember(part_of_a_view(0, n_crops=1))
        found = memory.first_look(part_of_a_view(1, n_crops=3))

    assert found is None
    assert embedder.n_crops == [1]


def test_looks_of_yesterday_are_not_named(tmp_path: Path) -> None:
    a_day_on = 3000  # parts of 30 s

    with memory_of(tmp_path, calibration=Sure()) as (memory, _):
        memory.remember(part_of_a_view(0, n_crops=1, camera="yard", is_last=True))
        found = memory.first_look(part_of_a_view(a_day_on, n_crops=2))

    assert found is None


def test_no_picture_is_embedded_twice_and_the_decision_is_the_same(tmp_path: Path) -> None:
    embedder = Counting()
    view, whole = part_of_a_view(0, n_crops=1), part_of_a_view(0, n_crops=1, is_last=True)

    with memory_of(make(tmp_path / "with"), embedder=embedder) as (memory, database):
        memory.first_look(seen(view, [1, 3]))
        memory.first_look(seen(view, [5]))
        memory.remember(seen(whole, [3, 7, 1]))
        looked = rows_of(database)
    with memory_of(make(tmp_path / "without")) as (memory, database):
        memory.remember(seen(whole, [3, 7, 1]))
        plain = rows_of(database)

    assert embedder.n_crops == [2, 1, 1]
    assert looked == plain


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


class Asked(Minds):
    """Minds of a memory that has remembered before; no files, no weights."""

    def __init__(self, memory: Memory) -> None:
        self.asked = memory

    def first_look(self, view: Tracklet) -> NewLink | None:
        return self.asked.first_look(view)


class Broken(OneLook):
    def embed(self, crops: Sequence[Crop]) -> Embeddings:
        if crops:
            raise RuntimeError("the device is broken")
        return super().embed(crops)


def test_a_look_that_fails_costs_the_look_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = site_of(tmp_path)
    want(site.live_folder)
    film = list(footage([Walker(x_px=100, speed_px_s=30), Walker(x_px=300)], seconds=7))
    perception = Perception(site, Knowing([found for _, found in film]))

    with (
        memory_of(tmp_path, embedder=Broken()) as (memory, _),
        Publisher(site, live=True, clock=SystemClock()) as publisher,
    ):
        assert wait_for(lambda: publisher.is_wanted, within_s=10)
        looks = FirstLooks(Asked(memory), publisher, n_to_remember=lambda: 0)
        for frame, _ in film:
            perception.perceive([frame])
            looks.saw([frame], perception)
            looks.look()
        assert publisher.n_remembered == 0

    assert caplog.text.count("nobody can say yet who is in view: the device is broken") == 1


def test_what_is_told_meanwhile_and_what_nobody_watches_is_not_looked_at(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    film = list(footage([Walker(x_px=100, speed_px_s=30)], seconds=4))
    embedder = Counting()

    with (
        memory_of(tmp_path, embedder=embedder) as (memory, _),
        Publisher(site, live=True, clock=SystemClock()) as publisher,
    ):
        looks = FirstLooks(Asked(memory), publisher, n_to_remember=lambda: 0)
        n_embedded: list[int] = []
        for is_wanted, is_told in ((False, False), (True, True), (True, False)):
            if is_wanted:
                want(site.live_folder)
                assert wait_for(lambda: publisher.is_wanted, within_s=10)
            perception = Perception(site, Knowing([found for _, found in film]))
            for frame, _ in film:
                perception.perceive([frame])
                looks.saw([frame], perception)
            for tracklet in perception.cut_all() if is_told else ():
                looks.told(tracklet)
            looks.look()
            n_embedded.append(sum(embedder.n_crops))

    assert n_embedded == [0, 0, 3]


class Recalling:
    """The site's detector, which remembers what it found: a second watch need not search again."""

    def __init__(self) -> None:
        self.found: dict[int, Detections] = {}

    def load(
        self, config: DetectorConfig, *, progress: Callable[[Received], None] | None = None
    ) -> Recalling:
        self.real = load_detector(config, progress=progress)
        self.model = self.real.model
        return self

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        time.sleep(0.02)  # leaves moments in which nothing is to be remembered
        for frame in frames:
            if frame.captured_at_us not in self.found:
                self.found[frame.captured_at_us] = self.real.detect([frame])[0]
        return [self.found[frame.captured_at_us] for frame in frames]


Rows = tuple[list[Sighting], list[tuple[object, ...]]]


def rows_of(database: Database) -> Rows:
    """All that is decided, vectors to the last bit."""
    found = sightings(database, limit=None)
    model = found[0].model if found else ""
    looks: list[tuple[object, ...]] = [
        (row.exemplar_id, row.identity, row.sighting, row.quality, row.vector.tobytes())
        for row in gallery_rows(database, model=model)
    ]
    return found, looks


def test_the_demo_is_decided_alike_with_and_without_first_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "load_detector", Recalling().load)
    said: list[NewLink] = []
    say = Publisher.may_be

    def hear(self: Publisher, track: TrackKey, link: NewLink) -> None:
        said.append(link)
        say(self, track, link)

    monkeypatch.setattr(Publisher, "may_be", hear)
    demo = load_config(PROJECT / "config.yaml")
    clip = tmp_path / "gate.mp4"
    cut_video(Path(demo.cameras[0].source.get_secret_value()), clip, seconds=14)
    camera = demo.cameras[0].model_copy(update={"source": SecretStr(str(clip))})
    site = demo.model_copy(update={"cameras": (camera,)})

    without = watched(site, tmp_path / "without", first_look_s=0)
    n_without = len(said)
    with_them = watched(site, tmp_path / "with", first_look_s=1)

    assert n_without == 0
    assert said
    assert without[0]
    assert with_them == without


def watched(site: SiteConfig, folder: Path, *, first_look_s: float) -> Rows:
    tracking = site.tracking.model_copy(update={"first_look_s": first_look_s})
    site = into_folder(site.model_copy(update={"tracking": tracking}), folder)
    want(site.live_folder)

    def report(_: Progress) -> None:
        want(site.live_folder)

    watch(site, stop=threading.Event(), report=report)
    with open_database(site.storage.database.get_secret_value()) as database:
        return rows_of(database)
