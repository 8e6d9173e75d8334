"""One camera's detections become tracklets: identities, times, parts, pictures."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.tracking.config import TrackingConfig
from pipeline.tracking.gathering import Gathering, outline_quality
from pipeline.tracking.tracklets import CameraTracker
from pipeline.types import Tracklet
from streams.types import CameraId, Frame, Modality
from tests.tracking_builders import CONFIG, START_US, Walker, follow, footage, found

SECOND_US = 1_000_000


def facts(tracklet: Tracklet) -> tuple[object, ...]:
    """Everything of a tracklet that can be compared."""
    return (
        tracklet.track,
        tracklet.part,
        tracklet.times_us.tolist(),
        tracklet.boxes.tolist(),
        tracklet.scores.tolist(),
        tracklet.modality,
        [(c.captured_at_us, c.modality, c.quality, c.pixels.tobytes()) for c in tracklet.crops],
    )


def greys(tracklet: Tracklet) -> set[int]:
    """Brightest common grey of each picture: which walker it shows."""
    return {int(np.median(crop.pixels[1::4])) for crop in tracklet.crops}


def test_two_people_who_cross_keep_their_identities() -> None:
    walkers = [
        Walker(x_px=20, speed_px_s=60, grey=200),
        Walker(x_px=560, speed_px_s=-60, y_px=108, grey=90),
    ]

    tracklets = follow(footage(walkers, seconds=9))

    assert len(tracklets) == 2
    for tracklet in tracklets:
        assert len(tracklet.times_us) == 90
        steps = np.diff(tracklet.boxes[:, 0])
        assert np.all(np.sign(steps) == np.sign(steps[0]))


def test_a_person_hidden_for_less_than_the_patience_is_one_track() -> None:
    hidden = footage(
        [Walker(x_px=20, speed_px_s=40)], seconds=8, is_missed=lambda _, s: 3.0 <= s < 4.5
    )

    tracklets = follow(hidden)

    assert [len(tracklet.times_us) for tracklet in tracklets] == [65]


def test_boxes_are_kept_only_for_frames_in_which_the_person_was_detected() -> None:
    missed = (2.0, 2.1, 2.2)
    frames = footage(
        [Walker(x_px=20, speed_px_s=40)],
        seconds=4,
        is_missed=lambda _, s: any(abs(s - m) < 0.01 for m in missed),
    )

    (tracklet,) = follow(frames)

    seconds = (tracklet.times_us - START_US) / SECOND_US
    assert not set(np.round(seconds, 1)) & set(missed)
    assert len(tracklet.times_us) == len(tracklet.boxes) == len(tracklet.scores) == 37


@pytest.mark.parametrize("fps", [2.0, 5.0, 10.0, 25.0])
def test_a_gap_longer_than_the_patience_ends_the_track_at_every_frame_rate(fps: float) -> None:
    standing = [Walker(x_px=300)]
    gap_us = round((CONFIG.lost_patience_s + 0.5) * SECOND_US)
    first = list(footage(standing, seconds=3, fps=fps))
    again_us = first[-1][0].captured_at_us + gap_us
    second = footage(standing, seconds=3, fps=fps, start_us=again_us)

    tracklets = follow([*first, *second])

    assert [t.first_seen_us for t in tracklets] == [START_US, again_us]
    assert len({t.track for t in tracklets}) == 2


@pytest.mark.parametrize("fps", [2.0, 5.0, 10.0, 25.0])
def test_a_person_not_detected_for_longer_than_the_patience_comes_back_as_another(
    fps: float,
) -> None:
    away_s = CONFIG.lost_patience_s  # one frame more passes until the next detection
    frames = footage(
        [Walker(x_px=300)], seconds=8, fps=fps, is_missed=lambda _, s: 3.0 <= s < 3.0 + away_s
    )

    tracklets = follow(frames)

    assert [(t.first_seen_us - START_US) / SECOND_US for t in tracklets] == [0.0, 3.0 + away_s]


def test_two_lone_detections_with_a_gap_between_are_not_a_track() -> None:
    before = footage([Walker(x_px=300)], seconds=0.1)
    after = footage([Walker(x_px=300)], seconds=0.1, start_us=START_US + 5 * SECOND_US)

    assert follow([*before, *after], config=TrackingConfig(min_visit_s=0.0)) == []


def test_a_track_is_handed_on_as_soon_as_its_patience_is_over() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    told_s = []

    for frame, detections in footage([Walker(x_px=300, to_s=2.0)], seconds=6):
        if tracker.update(frame, detections):
            told_s.append((frame.captured_at_us - START_US) / SECOND_US)

    assert told_s == [pytest.approx(1.9 + CONFIG.lost_patience_s + 0.1)]


def test_a_new_run_ends_all_tracks_and_numbers_begin_again() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    for frame, detections in footage([Walker(x_px=300)], seconds=2):
        tracker.update(frame, detections)

    ended: list[Tracklet] = []
    for frame, detections in footage(
        [Walker(x_px=300)], seconds=1, run=1, start_us=START_US + 2 * SECOND_US
    ):
        ended += tracker.update(frame, detections)

    assert [tracklet.first_seen_us for tracklet in ended] == [START_US]
    assert [track.number for track in tracker.open_tracks()] == [1]
    assert tracker.open_tracks()[0].track != ended[0].track


def test_another_picture_size_in_mid_stream_ends_all_tracks() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    for frame, detections in footage([Walker(x_px=300)], seconds=2):
        tracker.update(frame, detections)
    at_us = START_US + 2 * SECOND_US
    larger = Frame(
        camera=CameraId("gate"),
        modality=Modality.VISIBLE,
        captured_at_us=at_us,
        run=0,
        sequence=20,
        pixels=np.zeros((720, 1280, 3), dtype=np.uint8),
    )

    ended = tracker.update(larger, found(at_us, []))

    assert len(ended) == 1
    assert tracker.open_tracks() == []


def test_the_same_footage_gives_the_same_tracklets_twice_in_one_process() -> None:
    walkers = [Walker(x_px=20, speed_px_s=50), Walker(x_px=500, speed_px_s=-30, grey=90)]

    first = follow(footage(walkers, seconds=5))
    second = follow(footage(walkers, seconds=5))

    assert [facts(t) for t in first] == [facts(t) for t in second]
    assert first[0].track == f"gate/{START_US}/1"


def test_cameras_in_one_process_do_not_influence_each_other() -> None:
    yard = [Walker(x_px=20, speed_px_s=50), Walker(x_px=500, speed_px_s=-30)]
    gate = [Walker(x_px=100, speed_px_s=20)]
    alone = follow(footage(gate, seconds=5))
    two = {name: CameraTracker(CameraId(name), CONFIG) for name in ("gate", "yard")}

    together: list[Tracklet] = []
    for of_yard, of_gate in zip(
        footage(yard, seconds=5, camera="yard"), footage(gate, seconds=5), strict=True
    ):
        two["yard"].update(*of_yard)
        together += two["gate"].update(*of_gate)
    together += two["gate"].cut()

    assert [facts(t) for t in together] == [facts(t) for t in alone]


def test_a_camera_that_switches_to_infrared_in_mid_track_keeps_pictures_of_both() -> None:
    frames = footage([Walker(x_px=50, speed_px_s=40)], seconds=8, infrared_from_s=3.0)

    (tracklet,) = follow(frames)

    lights = [crop.modality for crop in tracklet.crops]
    assert lights.count(Modality.VISIBLE) == CONFIG.crops_per_part
    assert lights.count(Modality.INFRARED) == CONFIG.crops_per_part
    assert tracklet.modality is Modality.INFRARED


def test_a_long_track_comes_in_parts_that_share_its_key_and_leave_out_nothing() -> None:
    config = TrackingConfig(part_after_s=3.0)
    frames = list(footage([Walker(x_px=50, speed_px_s=40)], seconds=10))

    tracklets = follow(frames, config=config)

    assert [tracklet.part for tracklet in tracklets] == [0, 1, 2, 3]
    assert len({tracklet.track for tracklet in tracklets}) == 1
    assert [int(t) for tracklet in tracklets for t in tracklet.times_us] == [
        frame.captured_at_us for frame, _ in frames
    ]
    assert all(tracklet.crops for tracklet in tracklets)


def test_the_end_of_a_view_is_told_however_short_its_last_part_is() -> None:
    config = TrackingConfig(part_after_s=3.0, crops_per_part=0)
    tracker = CameraTracker(CameraId("gate"), config)
    tracklets: list[Tracklet] = []

    for frame, detections in footage([Walker(x_px=300)], seconds=3.1):
        tracklets += tracker.update(frame, detections)
    tracklets += tracker.cut()

    assert [(t.part, t.is_last) for t in tracklets] == [(0, False), (1, True)]
    assert tracklets[1].last_seen_us - tracklets[1].first_seen_us < config.min_visit_s * SECOND_US
    assert tracker.n_discarded == 0


def test_a_track_shorter_than_a_visit_is_dropped_and_counted() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    tracklets: list[Tracklet] = []

    for frame, detections in footage([Walker(x_px=300, to_s=CONFIG.min_visit_s)], seconds=6):
        tracklets += tracker.update(frame, detections)

    assert tracklets == []
    assert tracker.n_discarded == 1


def test_pictures_are_of_the_person_and_the_best_comes_first() -> None:
    walkers = [Walker(x_px=20, speed_px_s=60, grey=220), Walker(x_px=500, grey=70)]

    tracklets = follow(footage(walkers, seconds=4))

    assert [greys(tracklet) for tracklet in tracklets] == [{220}, {70}]
    for tracklet in tracklets:
        qualities = [crop.quality for crop in tracklet.crops]
        assert qualities == sorted(qualities, reverse=True)
        assert len(qualities) == CONFIG.crops_per_part


def test_a_box_suddenly_half_as_high_gives_pictures_of_less_quality() -> None:
    standing = (100.0, 50.0, 140.0, 150.0)
    behind_a_table = (100.0, 50.0, 140.0, 105.0)
    two_in_one_box = (100.0, 50.0, 190.0, 150.0)

    whole, half, double = (
        outline_quality(box, [standing] * 6 + [box])
        for box in (standing, behind_a_table, two_in_one_box)
    )

    assert whole == 1
    assert half < 0.5
    assert double < 0.7


def test_weak_detections_continue_a_track_but_never_start_one() -> None:
    weak = Walker(x_px=300, score=0.3)
    fading = footage([weak], seconds=3, start_us=START_US + 2 * SECOND_US)

    alone = follow(footage([weak], seconds=3))
    (continued,) = follow([*footage([Walker(x_px=300)], seconds=2), *fading])

    assert alone == []
    assert len(continued.times_us) == 50


def test_a_person_who_stands_still_while_nothing_moves_is_one_track() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    ended: list[Tracklet] = []
    for frame, detections in footage([Walker(x_px=300)], seconds=2):
        ended += tracker.update(frame, detections)

    for second in range(2, 20):
        ended += tracker.pause(START_US + second * SECOND_US)
    for frame, detections in footage(
        [Walker(x_px=300)], seconds=2, start_us=START_US + 20 * SECOND_US
    ):
        ended += tracker.update(frame, detections)

    assert ended == []
    assert [t.first_seen_us for t in tracker.cut()] == [START_US]


def test_a_picture_without_motion_for_too_long_ends_the_track() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    for frame, detections in footage([Walker(x_px=300)], seconds=2):
        tracker.update(frame, detections)

    before = tracker.pause(START_US + SECOND_US + round(CONFIG.still_patience_s * SECOND_US))
    after = tracker.pause(START_US + 2 * SECOND_US + round(CONFIG.still_patience_s * SECOND_US))

    # The long view is handed on as a part, then only its end is left to tell.
    assert [(tracklet.part, tracklet.is_last) for tracklet in before] == [(0, False)]
    assert [(tracklet.part, tracklet.is_last) for tracklet in after] == [(1, True)]
    assert tracker.open_tracks() == []


def test_time_that_nobody_watched_ends_tracks() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    for frame, detections in footage([Walker(x_px=300)], seconds=2):
        tracker.update(frame, detections)
    last_us = START_US + 1_900_000
    patience_us = round(CONFIG.lost_patience_s * SECOND_US)

    assert tracker.expire(last_us + patience_us) == []
    assert len(tracker.expire(last_us + patience_us + 1)) == 1


def test_open_tracks_tell_who_is_in_view_now() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    for frame, detections in footage([Walker(x_px=300, speed_px_s=10)], seconds=2):
        tracker.update(frame, detections)

    (track,) = tracker.open_tracks()

    assert track.number == 1
    assert track.box == pytest.approx((319.0, 100.0, 359.0, 200.0))
    assert track.last_seen_us == START_US + 1_900_000


def test_pictures_held_for_a_long_part_are_bounded() -> None:
    config = TrackingConfig(part_after_s=3600.0, crop_every_s=0.0, crops_per_part=2)
    gathering = Gathering(CameraId("gate"), 1, config)
    n_held = []

    for frame, detections in footage([Walker(x_px=300)], seconds=20):
        gathering.add(
            frame,
            detections.boxes[0],
            0.9,
            others=detections.boxes[:0],
            watched_us=frame.captured_at_us,
        )
        n_held.append(gathering.n_crops)

    assert max(n_held) <= 4 * config.crops_per_part
    assert len(gathering.take().crops) == config.crops_per_part


def test_footage_without_people_gives_nothing() -> None:
    assert follow(footage([], seconds=3)) == []


def test_detections_of_another_frame_or_camera_are_refused() -> None:
    tracker = CameraTracker(CameraId("gate"), CONFIG)
    (frame, _), *_ = footage([], seconds=0.1)

    with pytest.raises(ValueError, match="came with the frame"):
        tracker.update(frame, found(START_US + 1, []))
    with pytest.raises(ValueError, match="camera gate"):
        tracker.update(frame, found(START_US, [], camera="yard"))
