"""Bad input gets one clear line and an exit code; it loses nothing and takes nothing else down."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from streams.errors import NoctuleError
from tests.cli import RunCli


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text("storage: {reserve_mb: 0}\n")
    return str(path)


def one_line(error: str) -> str:
    """The last line of stderr, which must be the error; no trace before it."""
    assert "Traceback" not in error
    return error.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("replay", "nowhere.mp4", "--camera", "a"), 1, "nowhere.mp4", id="no file"),
        pytest.param(("replay", "x.mp4", "--camera", "a b"), 2, "--camera", id="camera name"),
        pytest.param(
            ("replay", "x.mp4", "--camera", "a", "--start", "noon"), 2, "not a time", id="time"
        ),
        pytest.param(
            ("replay", "x.mp4", "--camera", "a", "--region", "1,2"), 2, "--region", id="region"
        ),
        pytest.param(("run",), 2, "no camera is configured", id="no camera"),
        pytest.param(("query", "identities"), 1, "there is no database", id="no database"),
        pytest.param(("db", "check"), 1, "there is no database", id="check nothing"),
        pytest.param(
            ("query", "identities", "--from", "2026-06-02", "--to", "2026-06-01"),
            2,
            "is not after",
            id="span backwards",
        ),
    ],
)
def test_a_mistake_gives_one_line_and_a_code(
    words: tuple[str, ...], code: int, says: str, config: str, run_cli: RunCli
) -> None:
    error = run_cli(*words, "--config", config, code=code)

    assert says in one_line(error)


def test_a_picture_where_a_video_is_expected_is_told_apart(
    tmp_path: Path, config: str, run_cli: RunCli
) -> None:
    picture = tmp_path / "person.png"
    cv2.imwrite(str(picture), np.zeros((64, 32, 3), np.uint8))

    error = run_cli("replay", str(picture), "--camera", "gate", "--config", config, code=1)

    assert "person.png" in error
    assert "Traceback" not in error


def test_an_empty_file_is_told_apart(tmp_path: Path, config: str, run_cli: RunCli) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()

    error = run_cli("replay", str(empty), "--camera", "gate", "--config", config, code=1)

    assert "empty" in error
    assert "Traceback" not in error


def test_an_unknown_key_is_refused_with_its_line(tmp_path: Path, run_cli: RunCli) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("site: yard\ncolour: red\n")

    error = run_cli("config", "check", "--config", str(path), code=2)

    assert one_line(error) == (
        f"noctule: {path}:2: colour: unknown key; `noctule config manual` lists all keys"
    )


def test_an_unknown_person_is_told(config: str, run_cli: RunCli) -> None:
    run_cli("db", "upgrade", "--config", config)

    error = run_cli("query", "trajectory", "P-0099", "--config", config, code=1)

    assert "P-0099" in one_line(error)


def test_an_empty_database_is_sound_and_says_so(config: str, run_cli: RunCli) -> None:
    run_cli("db", "upgrade", "--config", config)

    assert "sound" in run_cli("db", "check", "--config", config)
    assert json.loads(run_cli("query", "sightings", "--config", config, "--json")) == []
    assert "Nobody was seen" in run_cli("query", "identities", "--config", config)
    assert json.loads(run_cli("db", "stats", "--config", config, "--json"))["n_sightings"] == 0


def test_a_text_file_is_not_searched_for(tmp_path: Path, config: str, run_cli: RunCli) -> None:
    run_cli("db", "upgrade", "--config", config)
    text = tmp_path / "crop.jpg"
    text.write_text("not a picture")

    error = run_cli("search", "--image", str(text), "--config", config, code=1)

    assert "crop.jpg" in one_line(error)


def test_pictures_become_features_that_numpy_reads(tmp_path: Path, run_cli: RunCli) -> None:
    rng = np.random.default_rng(1)
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), rng.integers(0, 255, (80, 40, 3), np.uint8))
    out = tmp_path / "features.npz"

    run_cli("embed", str(tmp_path), "--modality", "visible", "--out", str(out))

    with np.load(out) as features:
        assert features["vec"].shape[0] == 2
        np.testing.assert_allclose(np.linalg.norm(features["vec"], axis=1), 1, atol=1e-5)
        assert list(features["modality"]) == ["visible", "visible"]
        assert [Path(name).name for name in features["file"]] == ["a.png", "b.png"]
        assert "@" in str(features["model"])


def test_debug_shows_the_trace(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.cli import app

    monkeypatch.setattr("sys.argv", ["noctule", "db", "check", "--config", config, "--debug"])

    with pytest.raises(NoctuleError, match="there is no database"):
        app.main()


def test_config_show_masks_secrets(
    tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_PASSWORD", "canary")
    path = tmp_path / "site.yaml"
    path.write_text(
        "cameras: [{name: gate, source: 'rtsp://op:${GATE_PASSWORD}@127.0.0.1:9/x'}]\n"
        "storage: {database: 'postgresql://op:${GATE_PASSWORD}@127.0.0.1:9/n'}\n"
    )

    shown = run_cli("config", "show", "--config", str(path))

    assert "gate" in shown
    assert "canary" not in shown


def test_a_camera_that_does_not_answer_is_told_without_its_password(run_cli: RunCli) -> None:
    error = run_cli("camera", "probe", "rtsp://op:canary@127.0.0.1:9/live", code=1)

    assert "127.0.0.1:9" in one_line(error)
    assert "canary" not in error
