"""Filming: the same seed gives the same bytes, finished videos stay, the folder can be watched.

What draws people needs anny, moderngl, EGL and the built bodies, as `test_simulator_render`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.config import load_config
from simulator.errors import FilmingFailed, OrderInvalid, ToolMissing
from simulator.figures.body import BodyModel
from simulator.figures.people import dress
from simulator.filming import crew
from simulator.filming.encoder import encoder
from simulator.filming.exposure import Watch
from simulator.filming.film import film, film_take
from simulator.filming.folder import write_config, write_index
from simulator.filming.job import Order, lay_out, prepare
from simulator.filming.plan import Casting
from simulator.filming.scenario import Hour
from simulator.filming.take import Settings, Take
from simulator.filming.truth import read_truth, to_motchallenge
from simulator.optics.bands import Band
from streams.types import Modality

pytest_plugins = ["tests.rendering"]

SIZE_PX = (160, 90)


def takes_of(
    scenario: str, *, minutes: float = 0.1, hours: tuple[str, ...] | None = None, **settings: bool
) -> tuple[Take, ...]:
    order = Order(
        scenario=scenario,
        seed=3,
        n_people=4,
        minutes=minutes,
        hours=hours,
        casting=Casting(),
        settings=Settings(size_px=SIZE_PX, fps=5, **settings),
    )
    return prepare(order).takes


def first_frames(take: Take, n: int) -> Take:
    """The same take, cut after `n` frames."""
    return replace(take, lasts_s=n / take.fps)


def test_two_films_of_one_seed_are_equal_byte_for_byte(model: BodyModel, tmp_path: Path) -> None:
    take = first_frames(takes_of("lobby", hours=("night",))[0], 3)
    out = [tmp_path / "first", tmp_path / "again"]
    for folder in out:
        folder.mkdir()
        film_take(take, model, folder, lambda _: None)

    first, again = ([path.read_bytes() for path in take.files(folder)] for folder in out)

    assert first == again
    truth = read_truth(take.files(out[0])[1])
    assert truth.identities
    assert truth.seed == 3
    assert take.files(out[0])[2].read_text() == to_motchallenge(truth)


def test_another_seed_makes_other_noise(model: BodyModel) -> None:
    take = takes_of("lobby", hours=("night",))[0]
    people = {identity: dress(model, identity, looks) for identity, looks in take.looks.items()}

    (shot,) = film(take, people, n_frames=1)
    (other,) = film(replace(take, seed=4), people, n_frames=1)

    assert shot.truth == other.truth
    assert (shot.picture != other.picture).any()


def test_cameras_of_one_place_agree_who_stands_where(model: BodyModel) -> None:
    entrance, desk, _ = takes_of("lobby", hours=("night",))
    people = {i: dress(model, i, looks) for i, looks in entrance.looks.items()}
    *_, at_entrance = film(entrance, people, n_frames=2)
    *_, at_desk = film(desk, people, n_frames=2)

    here = {person.identity: person for person in at_entrance.truth.people}
    there = {person.identity: person for person in at_desk.truth.people}

    assert here.keys() & there.keys()
    for identity in here.keys() & there.keys():
        assert here[identity].ground_m == there[identity].ground_m
        assert here[identity].full_box_px != there[identity].full_box_px


def test_ground_positions_lie_under_the_feet(model: BodyModel) -> None:
    take = first_frames(takes_of("lobby", hours=("night",))[0], 1)
    people = {identity: dress(model, identity, looks) for identity, looks in take.looks.items()}
    (shot,) = film(take, people, n_frames=1)

    width, height = SIZE_PX
    whole = [p for p in shot.truth.people if p.full_box_px[1] > 0 and p.full_box_px[3] < height]
    assert whole
    for person in whole:
        assert person.ground_m is not None
        x0, _, x1, bottom = person.full_box_px
        (u, v) = take.camera.view.project(np.array([[*person.ground_m, 0.0]]))[0]
        assert x0 - 3 <= u <= x1 + 3
        assert v == pytest.approx(bottom, abs=0.06 * width)


def test_a_camera_switches_its_filter_at_dusk_and_says_so_frame_by_frame() -> None:
    south, *_ = takes_of("plaza", minutes=0.5, hours=("dusk",))
    watch = Watch(south)

    bands = [watch.at(k).band for k in range(south.n_frames)]
    leaks = [k for k in range(south.n_frames) if watch.at(k).lamp is not None]

    assert (bands[0], bands[-1]) == (Band.VISIBLE, Band.NEAR_INFRARED)
    switched = bands.index(Band.NEAR_INFRARED)
    assert set(bands[switched:]) == {Band.NEAR_INFRARED}
    assert leaks
    assert leaks[-1] == switched - 1


@pytest.mark.parametrize(
    ("scenario", "hour", "band"),
    [
        pytest.param("plaza", "day", Band.VISIBLE, id="day"),
        pytest.param("plaza", "night", Band.NEAR_INFRARED, id="night"),
        pytest.param("lobby", "night", Band.NEAR_INFRARED, id="night indoors"),
        pytest.param("demo", "night", Band.NEAR_INFRARED, id="demo by night"),
        pytest.param("demo", "day", Band.VISIBLE, id="demo by day"),
    ],
)
def test_every_hour_has_its_light(scenario: str, hour: str, band: Band) -> None:
    for take in takes_of(scenario, hours=(hour,)):
        assert {Watch(take).at(k).band for k in range(take.n_frames)} == {band}


def test_a_colour_camera_stays_in_colour_and_a_thermal_one_sees_warmth() -> None:
    by_name = {
        str(take.camera.name): take
        for take in takes_of("carpark", hours=("night",), with_thermal=True)
    }

    assert Watch(by_name["carpark-path"]).at(0).band is Band.VISIBLE
    assert Watch(by_name["carpark-hut-thermal"]).at(0).band is Band.THERMAL
    assert Watch(by_name["carpark-hut"]).at(0).band is Band.NEAR_INFRARED


@pytest.mark.usefixtures("model")
def test_what_is_filmed_is_not_filmed_again_and_other_settings_are(
    tmp_path: Path,
) -> None:
    take = first_frames(takes_of("lobby", hours=("night",))[0], 2)
    crew.film_all([take], tmp_path, jobs=1, report=lambda *_: None)
    told: list[str] = []
    tell: Callable[[str, int], None] = lambda video, _: told.append(video)  # noqa: E731

    crew.film_all([take], tmp_path, jobs=1, report=tell)
    assert told == []

    crew.film_all([replace(take, recipe="another")], tmp_path, jobs=1, report=tell)
    assert set(told) == {take.video}


@pytest.mark.usefixtures("model")
def test_two_processes_film_the_same_as_one(tmp_path: Path) -> None:
    takes = [first_frames(take, 1) for take in takes_of("lobby", hours=("night",))[:2]]
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    alone.mkdir()
    shared.mkdir()
    done: dict[str, int] = {}

    crew.film_all(takes, alone, jobs=1, report=lambda *_: None)
    crew.film_all(takes, shared, jobs=2, report=done.__setitem__)

    assert done == {take.video: 1 for take in takes}
    for take in takes:
        for a, b in zip(take.files(alone), take.files(shared), strict=True):
            assert a.read_bytes() == b.read_bytes()


def test_the_folder_is_a_site_that_the_product_can_watch(tmp_path: Path) -> None:
    takes = takes_of("plaza")
    for take in takes:
        (tmp_path / f"{take.video}.mp4").touch()

    site = load_config(write_config(takes, tmp_path))

    assert {camera.name for camera in site.cameras} == {take.video for take in takes}
    assert all(Path(c.source.get_secret_value()).is_file() for c in site.cameras)
    by_name = {camera.name: camera for camera in site.cameras}
    assert by_name["plaza-east-dusk"].starts_at == takes[3].period.starts_at
    assert ("plaza-south-day", "plaza-east-day") in site.linking.overlapping
    assert len(site.linking.overlapping) == 3


def test_the_index_names_people_videos_and_floor_plans(tmp_path: Path) -> None:
    order = Order(
        scenario="town", seed=1, minutes=0.1, settings=Settings(), casting=Casting(uniformed=0.5)
    )
    job = prepare(order)

    index = json.loads(write_index(job.plan, job.takes, tmp_path).read_text())

    assert index["schema"] == 2
    assert [person["identity"] for person in index["people"]] == list(range(1, 13))
    assert any(str(person["group"]).startswith("uniform") for person in index["people"])
    assert len(index["videos"]) == 18
    assert set(index["floor_plans"]) == {"plaza", "lobby", "carpark"}
    camera = index["floor_plans"]["lobby"]["cameras"][0]
    assert np.array(camera["world_to_camera"]).shape == (3, 4)
    assert {"wall", "pillar"} <= {t["kind"] for t in index["floor_plans"]["lobby"]["things"]}


@pytest.mark.usefixtures("model")
def test_sheet_and_floor_plan_lie_beside_the_films_but_not_beside_those_of_the_demo(
    tmp_path: Path,
) -> None:
    order = Order(
        scenario="lobby",
        seed=3,
        n_people=4,
        minutes=0.01,
        hours=("night",),
        casting=Casting(),
        settings=Settings(fps=5),
    )
    job = prepare(order)
    crew.film_all(job.takes, tmp_path, jobs=1, report=lambda *_: None)

    names = {path.name for path in lay_out(job, tmp_path)}

    assert names == {"config.yaml", "truth.json", "people.png", "floor-plan-lobby.png"}
    assert cv2.imread(str(tmp_path / "people.png")) is not None
    assert prepare(replace(order, scenario="demo")).is_bare


def test_a_video_stands_in_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "yard.mp4"
    grey = np.full((90, 160, 3), 90, np.uint8)

    def write(n: int, fails: bool) -> None:
        with encoder(
            path, size_px=SIZE_PX, fps=5, modality=Modality.VISIBLE, bitrate_kbps=64
        ) as video:
            for _ in range(n):
                video.write(grey)
            assert list(tmp_path.iterdir()) == [tmp_path / "yard.mp4.part"]
            if fails:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(3, True)
    assert list(tmp_path.iterdir()) == []

    write(10, False)
    assert list(tmp_path.iterdir()) == [path]
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT) == 10


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "yard.mp4"
    with (
        pytest.raises(FilmingFailed, match=r"yard\.mp4: ffmpeg ended with status"),
        encoder(path, size_px=SIZE_PX, fps=5, modality=Modality.VISIBLE, bitrate_kbps=None) as v,
    ):
        v.write(np.zeros((90, 160, 3), np.uint8))


def test_a_missing_ffmpeg_is_told_before_anything_is_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolMissing):
        crew.require_tools()


def test_an_order_that_cannot_be_filmed_says_what_can() -> None:
    order = Order(scenario="demo", seed=1, settings=Settings(), casting=Casting())

    with pytest.raises(OrderInvalid, match="there are gate, plaza, dock, corridor"):
        prepare(replace(order, cameras=("yard",)))
    with pytest.raises(OrderInvalid, match="it is filmed at day, night"):
        prepare(replace(order, hours=(Hour.DUSK,)))
    with pytest.raises(OrderInvalid, match="there are town, plaza"):
        prepare(replace(order, scenario="moon"))
