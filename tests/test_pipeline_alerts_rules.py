"""Each kind of rule: what it tells of, in which words, and what it does not."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.engine import Watchmen
from pipeline.alerts.geometry import Line
from pipeline.alerts.kinds import kinds, parse_rule, settings_of
from pipeline.alerts.schedule import Calendar
from pipeline.alerts.settings import Drawn, Site
from pipeline.alerts.types import CameraSign, DiskSign, LagSign, Wanted
from pipeline.errors import RuleUnusable
from storage.desk.types import ShapeKind
from storage.types import Decision, IdentityId
from streams.types import Gap, GapReason, Modality
from tests.alert_builders import (
    GATE,
    SITE,
    YARD,
    engine,
    look,
    raised,
    rule,
    s,
    scene,
    standing,
    told,
    visit,
    walk,
)
from tests.linking_builders import AsTheyAre

IN, OUT = (0.75, 0.75), (0.25, 0.75)
SILL = Drawn(camera=GATE, kind=ShapeKind.LINE, name="sill", points=((0.5, 1.0), (0.5, 0.6)))
spots = st.tuples(st.floats(0, 1), st.floats(0, 1))


def test_who_comes_into_a_zone_is_told_of_once_settled() -> None:
    machine = engine(rule("zone entered", zone="dock"))
    (first,) = raised(machine, walk([OUT, OUT, IN, IN, IN, OUT]))
    assert first.alert.sentence == "entered 'dock'"
    assert first.alert.began_us == s(2)
    assert first.alert.cameras == (GATE,)


def test_a_box_that_trembles_over_the_border_enters_nothing() -> None:
    machine = engine(rule("zone entered", zone="dock", settle_s=0.5))
    assert raised(machine, walk([OUT, IN] * 10, step=0.1)) == []


def test_who_leaves_a_zone_is_told_of_with_how_long_they_stayed() -> None:
    machine = engine(rule("zone left", zone="dock"))
    (only,) = raised(machine, walk([IN] * 10 + [OUT] * 3))
    assert only.alert.grounds["stayed_s"] == 10.0


def test_a_view_that_ends_in_a_zone_did_not_leave_it() -> None:
    machine = engine(rule("zone left", zone="dock"))
    assert raised(machine, walk([IN] * 10)) == []


def test_a_lost_camera_lets_nobody_leave() -> None:
    machine = engine(rule("zone left", zone="dock"))
    gap = Gap(camera=GATE, from_us=s(5), to_us=None, reason=GapReason.STALLED)
    assert raised(machine, [*walk([IN] * 5)[:-1], gap, *walk([OUT], start=9)]) == []


def test_loitering_is_told_once_and_ends_when_the_person_is_gone() -> None:
    machine = engine(rule("loitering", zone="dock", longer_than_s=90, outside="07:00-11:00"))
    found = told(machine, walk([IN] * 200))
    assert [each.is_new for each in found] == [True, False]
    assert found[0].alert.sentence == "stayed longer than 90 s in 'dock' outside 07:00-11:00"
    assert found[0].alert.ended_us is None
    assert found[0].at_us == s(90)
    assert found[1].alert.ended_us == s(199)


def test_time_before_the_hours_is_not_loitering() -> None:
    machine = engine(rule("loitering", zone="dock", longer_than_s=90, during="12:02-13:00"))
    (only,) = raised(machine, walk([IN] * 300))
    assert only.at_us == s(120 + 90)


def test_somebody_where_nobody_should_be() -> None:
    machine = engine(rule("nobody allowed", zone="dock", outside="07:00-11:00"))
    (only,) = raised(machine, walk([IN] * 5))
    assert only.alert.sentence == "is in 'dock', where nobody should be outside 07:00-11:00"


def test_in_its_hours_a_place_is_open() -> None:
    machine = engine(rule("nobody allowed", zone="dock", outside="07:00-19:00"))
    assert raised(machine, walk([IN] * 50)) == []


@pytest.mark.parametrize(("towards", "n"), [("right", 1), ("left", 0), ("either", 1)])
def test_a_line_is_crossed_in_a_direction(towards: str, n: int) -> None:
    machine = engine(rule("line crossed", line="door", towards=towards))
    found = raised(machine, walk([(0.2, 0.5), (0.4, 0.5), (0.6, 0.5)]))
    assert len(found) == n
    if n:
        assert found[0].alert.sentence == "crossed 'door' to the right"


def test_round_the_end_of_a_line_is_not_across_it() -> None:
    short = engine(
        rule("line crossed", line="sill"),
        site=Site(cameras=(GATE,), shapes=(SILL,)),
    )
    assert raised(short, walk([(0.3, 0.8), (0.45, 0.3), (0.6, 0.3), (0.7, 0.9)])) == []


@given(path=st.lists(spots, min_size=2, max_size=12))
def test_forth_and_back_over_a_line_is_no_crossing_in_sum(path: list[tuple[float, float]]) -> None:
    line = Line([(0.5, 1.0), (0.4, 0.5), (0.6, 0.0)], name="bent")
    there_and_back = [*path, *reversed(path)]
    steps = pairwise(there_and_back)
    assert sum(line.crossings(a, b) for a, b in steps) == 0


@given(path=st.lists(spots, min_size=2, max_size=20))
def test_sides_before_and_after_tell_how_often_a_line_across_everything_was_crossed(
    path: list[tuple[float, float]],
) -> None:
    machine = engine(rule("line crossed", line="door", margin=0), cooldown_s=0, group_s=0)
    said = [each.alert.grounds["towards"] for each in told(machine, walk(path))]
    sides = [x > 0.5 for x, _ in path]
    plain = ["right" if b else "left" for a, b in pairwise(sides) if a != b]
    assert said == plain


def test_too_many_people_are_counted_at_once() -> None:
    machine = engine(rule("too many people", zone="dock", more_than=2, for_s=3))
    crowd = [standing((0.6 + 0.1 * k, 0.8), f"gate/{k}") for k in range(4)]
    events = [scene(k, *crowd[: 2 if k < 10 else 4]) for k in range(20)]
    found = told(machine, [*events, scene(20)])
    assert [each.is_new for each in found] == [True, False]
    assert found[0].alert.sentence == "more than 2 people in 'dock'"
    assert found[0].alert.grounds == {"n_people": 4, "more_than": 2}
    assert found[1].alert.ended_us == s(20)


class _Curve(AsTheyAre):
    """Ten to one for every tenth of similarity above 0.5."""

    name = "curve"

    def likelihood_ratio(self, similarity: float, a: Modality, b: Modality) -> float:  # noqa: ARG002
        return math.exp((similarity - 0.5) * 10 * math.log(10))


def _wanted(**more: object) -> Wanted:
    values = {
        "number": 3,
        "name": "red coat",
        "identity": None,
        "means": look(1, 0),
        "model": "net",
        "expires_at_us": None,
    }
    return Wanted(**(values | more))  # type: ignore[arg-type]


def _site_looking_for(wanted: Wanted) -> Site:
    return Site(cameras=(GATE, YARD), wanted=(wanted,), model="net", calibration=_Curve())


def test_a_person_of_interest_is_found_by_pictures_with_a_calibrated_probability() -> None:
    machine = engine(rule("person of interest"), site=_site_looking_for(_wanted()))
    (only,) = raised(machine, [visit(0, means=look(0.9, 0.4))])
    similarity = 0.9 / math.hypot(0.9, 0.4)
    odds = min(10 ** ((similarity - 0.5) * 10), 1000) * 0.02 / 0.98
    assert only.alert.probability == pytest.approx(odds / (1 + odds), rel=1e-4)
    assert only.alert.grounds["interest"] == 3
    assert "'red coat'" in only.alert.sentence
    assert only.alert.picture == "ab" * 32


def test_who_does_not_look_like_them_is_not_a_person_of_interest() -> None:
    machine = engine(rule("person of interest"), site=_site_looking_for(_wanted()))
    assert raised(machine, [visit(0, means=look(0.5, 0.9))]) == []


def test_a_person_of_interest_is_found_by_identity_by_night() -> None:
    machine = engine(
        rule("person of interest", light="infrared"),
        site=_site_looking_for(_wanted(identity=IdentityId(7), means={}, model=None)),
    )
    by_day = visit(0, identity=7)
    by_night = visit(60, identity=7, modality=Modality.INFRARED, track="gate/2")
    (only,) = raised(machine, [by_day, by_night])
    assert only.alert.identity == 7
    assert "by night" in only.alert.sentence


def test_nobody_is_told_of_a_person_of_interest_who_expired() -> None:
    wanted = _wanted(identity=IdentityId(7), expires_at_us=s(30))
    machine = engine(rule("person of interest"), site=_site_looking_for(wanted))
    assert len(raised(machine, [visit(0, identity=7)])) == 1
    assert raised(machine, [visit(1000, identity=7, track="gate/2")]) == []


def test_pictures_of_another_network_make_the_rule_unusable() -> None:
    site = _site_looking_for(_wanted(model="old"))
    broken = Watchmen([rule("person of interest")], site, _calendar()).broken
    assert "described by old" in broken[0].why


def test_somebody_new_after_hours_is_unknown() -> None:
    machine = engine(rule("unknown person", outside="07:00-11:00"))
    new = visit(0, identity=4, decision=Decision.NEW)
    known = visit(5, identity=2, track="gate/2")
    unsure = visit(9, track="gate/3")
    (only,) = raised(machine, [new, known, unsure])
    assert only.alert.sentence.startswith("somebody who was never seen before was at gate")


def test_only_those_with_a_name_are_known_where_the_rule_says_so() -> None:
    machine = engine(rule("unknown person", known="named"))
    assert len(raised(machine, [visit(0, identity=2)])) == 1
    assert raised(machine, [visit(5, identity=3, track="gate/2", is_named=True)]) == []


@pytest.mark.parametrize(
    ("second", "words"),
    [
        pytest.param(2.0, "was at gate and at yard at the same time", id="two places at once"),
        pytest.param(8.0, "went from gate to yard in 3 s, which takes at least 9 s", id="too fast"),
        pytest.param(20.0, None, id="as people walk"),
    ],
)
def test_nobody_is_faster_than_anybody_can_be(second: float, words: str | None) -> None:
    site = Site(cameras=(GATE, YARD), least_s={(GATE, YARD): 9.0})
    machine = engine(rule("impossible transit"), site=site)
    visits = [visit(0, identity=5), visit(second, identity=5, track="yard/1", camera=YARD)]
    assert [each.alert.sentence for each in raised(machine, visits)] == ([words] if words else [])


def test_cameras_that_overlap_may_see_one_person_at_once() -> None:
    site = Site(cameras=(GATE, YARD), overlapping=frozenset({frozenset({GATE, YARD})}))
    machine = engine(rule("impossible transit"), site=site)
    visits = [visit(0, identity=5), visit(2, identity=5, track="yard/1", camera=YARD)]
    assert raised(machine, visits) == []


def test_a_camera_that_is_down_is_told_after_a_while_and_when_it_is_back() -> None:
    machine = engine(rule("camera down", after_s=30))
    signs = [
        CameraSign(
            camera=GATE, at_us=s(k), is_seen=k < 10 or k >= 100, since_us=s(min(k, 9)), error="away"
        )
        for k in range(120)
    ]
    found = told(machine, signs)
    assert [(each.is_new, each.at_us) for each in found] == [(True, s(39)), (False, s(100))]
    assert found[0].alert.began_us == s(9)
    assert found[1].alert.ended_us == s(100)


def test_a_covered_lens_is_told_of() -> None:
    machine = engine(rule("camera covered"))
    signs = [
        CameraSign(camera=GATE, at_us=s(k), is_seen=True, contrast=40.0 if k < 5 else 1.0)
        for k in range(30)
    ]
    (only,) = raised(machine, signs)
    assert only.at_us == s(15)


def test_a_blurred_camera_is_worse_than_usual_in_its_light() -> None:
    machine = engine(rule("camera degraded", after_s=20))

    def sign(k: int) -> CameraSign:
        light = Modality.VISIBLE if k < 200 else Modality.INFRARED
        detail = 8.0 if k < 200 else 2.0 if k < 400 else 0.5
        return CameraSign(
            camera=GATE, at_us=s(k), is_seen=True, modality=light, detail=detail, fps=10
        )

    (only,) = raised(machine, map(sign, range(500)))
    assert only.at_us == s(420)
    assert only.alert.sentence == "gate delivers less sharp pictures than usual"


def test_a_disk_that_fills_is_told_of_once() -> None:
    machine = engine(rule("disk low", least_free_gb=5))
    frees = [9, 6, 4.9, 5.1, 4.8, 6]
    signs = [
        DiskSign(place="evidence", at_us=s(k), free_bytes=int(f * 1e9), total_bytes=10**11)
        for k, f in enumerate(frees)
    ]
    found = told(machine, signs)
    assert [(each.is_new, each.at_us) for each in found] == [(True, s(2)), (False, s(5))]


def test_thinking_that_is_behind_is_told_of() -> None:
    machine = engine(rule("analytics behind", max_lag_s=10, after_s=15))
    signs = [LagSign(at_us=s(k), lag_s=float(k), n_waiting=0) for k in range(40)]
    (only,) = raised(machine, signs)
    assert only.at_us == s(26)


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        pytest.param("zone entered", {"zone": "moon"}, "there are: dock", id="no such zone"),
        pytest.param("line crossed", {"line": "dock"}, "there are: door", id="a zone is no line"),
        pytest.param("loitering", {"cameras": ["sky"]}, "the camera 'sky'", id="no such camera"),
        pytest.param(
            "person of interest", {"persons": ["nobody"]}, "'nobody'", id="not on the list"
        ),
        pytest.param(
            "zone left", {"zone": "dock", "cameras": ["yard"]}, "not drawn on yard", id="elsewhere"
        ),
    ],
)
def test_a_rule_that_cannot_be_evaluated_says_why_and_lets_others_work(
    kind: str, settings: dict[str, Any], words: str
) -> None:
    good = rule("zone entered", "good", zone="dock")
    watchmen = Watchmen([rule(kind, **settings), good], SITE, _calendar())
    assert words in watchmen.broken[0].why
    assert watchmen.rules == [good]


def test_every_kind_has_words_and_a_schema_that_explains_every_setting() -> None:
    for kind in kinds():
        assert kind.words
        json.dumps(kind.schema)
        unexplained = [
            key
            for key, value in kind.schema["properties"].items()
            if key != "kind" and "description" not in value
        ]
        assert unexplained == []


def test_settings_are_read_back_as_they_were_written() -> None:
    made = rule("loitering", "slow", zone="dock", longer_than_s=30, during="22:00-06:00")
    assert parse_rule("slow", "loitering", settings_of(made)) == made


def test_a_mistake_in_settings_is_told_in_words() -> None:
    with pytest.raises(RuleUnusable, match="longer_than_s"):
        parse_rule("slow", "loitering", {"longer_than_s": -1})
    with pytest.raises(RuleUnusable, match="kind"):
        parse_rule("slow", "dancing", {})


def test_rules_that_stay_the_same_remember_what_they_saw() -> None:
    stay = rule("loitering", "stay", zone="dock", longer_than_s=20)
    before = Watchmen([stay], SITE, _calendar())
    for event in walk([IN] * 15)[:-1]:
        assert before.see(event) == []
    after = Watchmen(
        [stay, rule("zone left", "left", zone="dock")], SITE, _calendar(), before=before
    )
    found = [each for event in walk([IN] * 10, start=15) for each in after.see(event)]
    assert found[0][0].at_us == s(20)


@pytest.mark.parametrize(
    "name", ["\u0645\u06cc\u200c\u0631\u0648\u062f", "\U0001f469\u200d\U0001f692 2"]
)
def test_rules_may_have_names_in_persian_and_of_emoji(name: str) -> None:
    assert parse_rule(name, "camera down", {}).name == name


def _calendar() -> Calendar:
    return Calendar(ZoneInfo("UTC"))
