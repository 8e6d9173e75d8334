"""One alert per visit and rule: grouping over cameras, cooldown, who it was, escalation."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.escalation import overdue
from pipeline.alerts.settings import Drawn, Site
from pipeline.alerts.types import CameraSign, Event
from storage.desk.alerts import Alert
from storage.desk.types import AlertId, AlertSeverity, AlertState, ShapeKind
from streams.types import CameraId
from tests.alert_builders import GATE, YARD, engine, raised, rule, s, scene, standing, told, visit

EVERYWHERE = tuple(CameraId(f"cam{k}") for k in range(15))
WIDE = Site(
    cameras=(*EVERYWHERE, GATE, YARD),
    shapes=tuple(
        Drawn(
            camera=camera,
            kind=ShapeKind.ZONE,
            name="dock",
            points=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
        )
        for camera in (*EVERYWHERE, GATE, YARD)
    ),
)
ENTERED = rule("zone entered", "dock", zone="dock", settle_s=0)


def enters(second: float, track: str, camera: CameraId = GATE) -> list[Event]:
    """Somebody appears in the zone, and is gone the second after."""
    return [
        scene(second, standing((0.5, 0.5), track), camera=camera),
        scene(second + 1, camera=camera),
    ]


def test_one_person_on_fifteen_cameras_is_one_alert() -> None:
    machine = engine(ENTERED, site=WIDE)
    events: list[Event] = []
    for k, camera in enumerate(EVERYWHERE):
        events += enters(30 * k, f"{camera}/1", camera)
        events.append(visit(30 * k, track=f"{camera}/1", camera=camera, identity=7, lasts=1))
    found = told(machine, events)
    assert [each.is_new for each in found].count(True) == 1
    assert {each.alert.key for each in found} == {found[0].alert.key}
    last = found[-1].alert
    assert last.identity == 7
    assert set(last.cameras) == set(EVERYWHERE)
    assert len(last.sightings) == 15
    assert last.ended_us == s(30 * 14)


def test_the_same_person_long_after_is_another_visit() -> None:
    machine = engine(ENTERED, site=WIDE, group_s=300)
    first = [*enters(0, "gate/1"), visit(0, identity=7)]
    second = [*enters(1000, "gate/2"), visit(1000, track="gate/2", identity=7)]
    assert len(raised(machine, [*first, *second])) == 2


def test_nobody_knows_whether_it_is_another_person_so_the_alert_is_extended() -> None:
    machine = engine(ENTERED, site=WIDE, cooldown_s=60)
    found = told(machine, [*enters(0, "gate/1"), *enters(30, "yard/1", YARD)])
    assert [each.is_new for each in found] == [True, False]
    assert found[1].alert.cameras == (GATE, YARD)
    assert found[1].alert.grounds["n_views"] == 2


def test_when_it_turns_out_to_be_another_person_their_alert_is_raised_after_all() -> None:
    machine = engine(ENTERED, site=WIDE, cooldown_s=60)
    events = [
        *enters(0, "gate/1"),
        *enters(30, "yard/1", YARD),
        visit(0, track="gate/1", identity=7),
        visit(30, track="yard/1", camera=YARD, identity=8),
    ]
    first, second = raised(machine, events)
    assert (first.alert.identity, second.alert.identity) == (None, 8)
    assert second.alert.began_us == s(30)
    assert second.alert.cameras == (YARD,)


def test_two_known_people_part_also_where_nobody_knows_whose_alert_it_was() -> None:
    machine = engine(ENTERED, site=WIDE, cooldown_s=60)
    events = [
        *enters(0, "gate/1"),
        *enters(20, "gate/2"),
        *enters(40, "gate/3"),
        visit(0, track="gate/1"),
        visit(20, track="gate/2", identity=7, evidence=("cd" * 32,)),
        visit(40, track="gate/3", identity=8, evidence=("ef" * 32,)),
    ]
    first, second = raised(machine, events)
    assert (first.alert.identity, second.alert.identity) == (None, 8)
    assert second.alert.picture == "ef" * 32


def test_when_it_turns_out_to_be_the_same_person_nothing_more_is_raised() -> None:
    machine = engine(ENTERED, site=WIDE, cooldown_s=60)
    events = [
        *enters(0, "gate/1"),
        *enters(30, "yard/1", YARD),
        visit(30, track="yard/1", camera=YARD, identity=7),
        visit(0, track="gate/1", identity=7),
    ]
    found = told(machine, events)
    assert [each.is_new for each in found].count(True) == 1
    assert found[-1].alert.identity == 7


def test_after_the_cooldown_an_unknown_view_is_its_own_alert() -> None:
    machine = engine(ENTERED, site=WIDE, cooldown_s=60)
    assert len(raised(machine, [*enters(0, "gate/1"), *enters(61, "gate/2")])) == 2


def test_two_known_people_are_two_alerts_even_at_once() -> None:
    machine = engine(rule("unknown person", known="named"), site=WIDE)
    visits = [visit(0, identity=7), visit(1, track="gate/2", identity=8)]
    assert len(raised(machine, visits)) == 2


def test_two_rules_have_alerts_of_their_own() -> None:
    other = rule("zone entered", "other", zone="dock", settle_s=0)
    assert len(raised(engine(ENTERED, other, site=WIDE), enters(0, "gate/1"))) == 2


def test_a_camera_that_comes_and_goes_is_one_alert_within_the_cooldown() -> None:
    machine = engine(rule("camera down", after_s=0, cooldown_s=60))
    signs = [CameraSign(camera=GATE, at_us=s(k), is_seen=k % 2 == 0) for k in range(50)]
    assert len(raised(machine, signs)) == 1


def test_cameras_are_down_each_for_itself() -> None:
    machine = engine(rule("camera down", after_s=0))
    signs = [CameraSign(camera=camera, at_us=s(0), is_seen=False) for camera in (GATE, YARD)]
    assert len(raised(machine, signs)) == 2


happenings = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 3), st.sampled_from([None, 7, 8]), st.integers(0, 200)
    ),
    max_size=25,
)


def _story(happenings: list[tuple[int, int, int | None, int]]) -> list[Event]:
    """People who enter zones and are recognised, in the order of time."""
    events: list[Event] = []
    second = 0.0
    for k, (camera, view, who, pause) in enumerate(happenings):
        second += pause + 2
        name, track = EVERYWHERE[camera], f"cam{camera}/{view}-{k // 3}"
        events += enters(second, track, name)
        seen = visit(second, track=track, camera=name, identity=who, lasts=1)
        events.append(replace(seen, sighting=f"{track}/{k}"))
    return events


@given(happenings=happenings)
def test_the_same_events_give_the_same_alerts(
    happenings: list[tuple[int, int, int | None, int]],
) -> None:
    events = _story(happenings)
    first, second = (told(engine(ENTERED, site=WIDE), events) for _ in range(2))
    assert first == second


@given(happenings=happenings)
def test_no_finding_is_lost_and_no_key_is_raised_twice(
    happenings: list[tuple[int, int, int | None, int]],
) -> None:
    events = _story(happenings)
    found = told(engine(ENTERED, site=WIDE), events)
    keys = [each.alert.key for each in found if each.is_new]
    assert len(keys) == len(set(keys))
    seen: dict[str, set[str]] = {}
    for each in found:
        seen.setdefault(each.alert.key, set()).update(each.alert.cameras)
    entered = {EVERYWHERE[camera] for camera, *_ in happenings}
    assert set().union(*seen.values()) == entered if seen else not entered


@given(happenings=happenings)
def test_whoever_is_known_has_an_alert_of_their_own(
    happenings: list[tuple[int, int, int | None, int]],
) -> None:
    found = told(engine(ENTERED, site=WIDE), _story([(c, k, 7, p) for c, k, _, p in happenings]))
    one = told(
        engine(ENTERED, site=WIDE, group_s=10**6), _story([(c, k, 7, 0) for c, k, *_ in happenings])
    )
    assert len({each.alert.key for each in one}) == min(len(happenings), 1)
    assert len({each.alert.key for each in found}) <= len(happenings)


def _alert(number: int, **more: object) -> Alert:
    values: dict[str, object] = {
        "id": AlertId(number),
        "key": str(number),
        "rule": "dock",
        "kind": "zone entered",
        "severity": AlertSeverity.WARNING,
        "identity": None,
        "candidate": None,
        "probability": None,
        "persons": (),
        "began_us": s(0),
        "ended_us": None,
        "sentence": "entered",
        "grounds": {},
        "picture": None,
        "picture_camera": None,
        "cameras": (GATE,),
        "sightings": (),
        "state": AlertState.NEW,
        "raised_at_us": s(0),
    }
    return Alert(**(values | more))  # type: ignore[arg-type]


def test_what_nobody_acknowledges_is_escalated_in_time_each_rule_as_it_says() -> None:
    alerts = [
        _alert(1),
        _alert(2, raised_at_us=s(50)),
        _alert(3, state=AlertState.ACKNOWLEDGED),
        _alert(4, rule="never"),
        _alert(5, rule="soon", raised_at_us=s(50)),
    ]
    late = overdue(alerts, now_us=s(100), after_s=90, of_rule_s={"never": 0, "soon": 10})
    assert [alert.id for alert in late] == [1, 5]
    assert overdue(alerts, now_us=s(9999), after_s=0, of_rule_s={}) == []
