"""When cameras are given up, retried and reported as gaps, in simulated time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from streams.backoff import Backoff
from streams.clock import ManualClock
from streams.config import CameraConfig
from streams.messages import Kind, Message
from streams.supervisor import CameraState, Supervisor
from streams.types import Gap, GapReason

NOON_US = 1_700_000_000_000_000


def supervised(
    clock: ManualClock, *, backoff: Backoff | None = None, seed: int = 0, **settings: object
) -> Supervisor:
    fields = {"name": "gate", "source": "rtsp://gate/live", **settings}
    return Supervisor(
        CameraConfig.model_validate(fields),
        clock=clock,
        rng=np.random.default_rng(seed),
        backoff=Backoff() if backoff is None else backoff,
    )


def picture(clock: ManualClock, number: int = 1) -> Message:
    return Message(kind=Kind.FRAME, number=number, captured_at_us=clock.now_us())


def bring_up(supervisor: Supervisor, clock: ManualClock) -> list[Gap]:
    """Start, open and see a first picture; the gaps that closes."""
    supervisor.started()
    supervisor.told(Message(kind=Kind.READY))
    supervisor.told(Message(kind=Kind.OPENED))
    return supervisor.told(picture(clock))


def wait_until_due(supervisor: Supervisor, clock: ManualClock) -> float:
    waited_s = 0.0
    while not supervisor.is_due():
        clock.sleep(0.05)
        waited_s += 0.05
    return waited_s


def test_a_camera_is_started_at_once_and_lives_with_its_first_picture() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)

    due = supervisor.is_due()
    gaps = bring_up(supervisor, clock)

    assert due
    assert gaps == []
    assert supervisor.state is CameraState.LIVE


@pytest.mark.parametrize("stall_s", [1.0, 5.0, 10.0])
def test_a_camera_whose_pictures_stop_is_overdue_when_its_patience_ends(stall_s: float) -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock, stall_after_s=stall_s)
    bring_up(supervisor, clock)

    clock.sleep(stall_s)
    in_time = supervisor.overdue()
    clock.sleep(0.01)
    too_late = supervisor.overdue()

    assert in_time is None
    assert too_late is not None
    assert too_late[0] is GapReason.STALLED


def test_packets_alone_do_not_keep_a_camera_alive_that_once_made_pictures() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)
    bring_up(supervisor, clock)

    for _ in range(11):
        clock.sleep(0.5)
        supervisor.told(Message(kind=Kind.PACKET))

    assert supervisor.overdue() is not None


def test_a_camera_with_rare_key_pictures_is_given_thirty_seconds_for_its_first() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)
    supervisor.started()
    supervisor.told(Message(kind=Kind.READY))
    supervisor.told(Message(kind=Kind.OPENED))
    overdue_at_s = None

    for _ in range(80):
        clock.sleep(0.5)
        supervisor.told(Message(kind=Kind.PACKET))
        if supervisor.overdue() is not None and overdue_at_s is None:
            overdue_at_s = clock.monotonic_s()

    assert overdue_at_s == 30.5


@pytest.mark.parametrize(
    ("messages", "patience_s", "reason"),
    [
        ([], 60.0, GapReason.DECODER_DIED),
        ([Kind.READY], 5.5, GapReason.CONNECT_FAILED),
        ([Kind.READY, Kind.OPENED], 4.0, GapReason.STALLED),
    ],
    ids=["starting", "opening", "opened"],
)
def test_every_phase_has_its_deadline(
    messages: list[Kind], patience_s: float, reason: GapReason
) -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)
    supervisor.started()
    for kind in messages:
        supervisor.told(Message(kind=kind))

    clock.sleep(patience_s)
    assert supervisor.overdue() is None
    clock.sleep(0.01)
    overdue = supervisor.overdue()

    assert overdue is not None
    assert overdue[0] is reason


def test_a_gap_opens_at_the_last_picture_and_closes_at_the_next() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)
    bring_up(supervisor, clock)
    clock.sleep(6.0)

    opened = supervisor.lost(GapReason.STALLED, "nothing came")
    clock.sleep(30.0)
    closed = bring_up(supervisor, clock)

    assert opened == [
        Gap(camera=opened[0].camera, from_us=NOON_US, to_us=None, reason=GapReason.STALLED)
    ]
    assert closed == [
        Gap(
            camera=opened[0].camera,
            from_us=NOON_US,
            to_us=NOON_US + 36_000_000,
            reason=GapReason.STALLED,
        )
    ]


def test_a_camera_that_was_never_seen_has_a_gap_from_the_beginning() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)
    supervisor.started()
    clock.sleep(2.0)

    (gap,) = supervisor.told(Message(kind=Kind.CONNECT_FAILED, text="no route"))

    assert (gap.from_us, gap.to_us) == (NOON_US, None)
    assert supervisor.last_error == "no route"
    assert supervisor.state is CameraState.LOST


def test_further_failures_belong_to_the_gap_that_is_open() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)
    supervisor.started()
    supervisor.told(Message(kind=Kind.CONNECT_FAILED))

    supervisor.started()
    more = supervisor.told(Message(kind=Kind.STREAM_ENDED))

    assert more == []


def test_a_refused_password_is_a_gap_of_its_own_reason() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)
    bring_up(supervisor, clock)
    clock.sleep(5.0)
    supervisor.told(Message(kind=Kind.STREAM_ENDED))
    clock.sleep(5.0)
    supervisor.started()

    closed, opened = supervisor.told(Message(kind=Kind.ACCESS_DENIED))

    assert (closed.reason, closed.to_us) == (GapReason.STREAM_ENDED, NOON_US + 10_000_000)
    assert (opened.reason, opened.from_us, opened.to_us) == (
        GapReason.ACCESS_DENIED,
        NOON_US + 10_000_000,
        None,
    )
    assert supervisor.state is CameraState.DENIED


def test_a_refused_password_is_retried_slowly() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock, retry_denied_s=90)
    supervisor.started()
    supervisor.told(Message(kind=Kind.ACCESS_DENIED))

    assert wait_until_due(supervisor, clock) == pytest.approx(90, abs=0.1)


def test_pauses_double_while_a_camera_is_away_and_never_exceed_the_longest() -> None:
    clock = ManualClock()
    supervisor = supervised(clock, backoff=Backoff(first_s=1.0, longest_s=20.0))
    pauses_s = []

    for _ in range(8):
        supervisor.started()
        supervisor.told(Message(kind=Kind.CONNECT_FAILED))
        pauses_s.append(wait_until_due(supervisor, clock))

    whole_s = [1, 2, 4, 8, 16, 20, 20, 20]
    assert all(w / 2 <= p <= w + 0.1 for p, w in zip(pauses_s, whole_s, strict=True))


def test_pauses_begin_anew_after_a_camera_was_seen_for_long_but_not_when_it_flaps() -> None:
    clock = ManualClock()
    supervisor = supervised(clock, backoff=Backoff(first_s=1.0))
    for _ in range(5):
        bring_up(supervisor, clock)
        clock.sleep(0.5)
        supervisor.told(Message(kind=Kind.STREAM_ENDED))
        flapping_s = wait_until_due(supervisor, clock)

    bring_up(supervisor, clock)
    clock.sleep(10.0)
    supervisor.told(Message(kind=Kind.STREAM_ENDED))
    stable_s = wait_until_due(supervisor, clock)

    assert flapping_s >= 8
    assert stable_s <= 1.1


def test_thirty_cameras_lost_at_once_come_back_spread_out() -> None:
    clock = ManualClock()
    rng = np.random.default_rng(1)
    backoff = Backoff(first_s=8.0)
    pauses_s = sorted(backoff.pause_s(1, rng) for _ in range(30))

    assert pauses_s[-1] - pauses_s[0] > 3.0
    assert max(b - a for a, b in itertools.pairwise(pauses_s)) < 1.0
    assert clock.monotonic_s() == 0


def test_pauses_stay_finite_after_thousands_of_losses() -> None:
    assert Backoff(longest_s=60.0).pause_s(100_000, np.random.default_rng(0)) <= 60.0


def test_a_stepped_wall_clock_ends_no_camera_and_makes_no_gap_that_ends_before_it_starts() -> None:
    clock = ManualClock(now_us=NOON_US)
    supervisor = supervised(clock)
    bring_up(supervisor, clock)

    clock.set_wall(NOON_US - 3_600_000_000)
    unmoved = supervisor.overdue()
    supervisor.told(Message(kind=Kind.STREAM_ENDED))
    (closed,) = bring_up(supervisor, clock)

    assert unmoved is None
    assert (closed.from_us, closed.to_us) == (NOON_US, NOON_US)


def test_runs_are_numbered_from_zero_without_a_hole() -> None:
    clock = ManualClock()
    supervisor = supervised(clock)
    runs = []

    for _ in range(3):
        runs.append(supervisor.started())
        supervisor.told(Message(kind=Kind.STREAM_ENDED))

    assert runs == [0, 1, 2]
