"""noctule simulate, a verb of another package: found by its entry point, loaded when asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import typer

from simulator.filming.catalogue import SCENARIOS
from simulator.progress import interruptible
from tests.cli import RunCli

HEAVY = ("torch", "anny", "moderngl", "cv2", "scipy")


def imported_by(*words: str) -> set[str]:
    """Modules that the command has loaded when it ends."""
    program = (
        "import sys\nfrom pipeline.cli import app\n"
        f"sys.argv = ['noctule', *{list(words)!r}]\n"
        "before = set(sys.modules)\n"
        "try:\n    app.main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_our_own_verbs_do_not_load_those_of_others() -> None:
    loaded = imported_by("config", "--help")

    assert not any(name.startswith("simulator") for name in loaded)


def test_help_names_the_verb_without_loading_what_it_needs() -> None:
    loaded = imported_by("--help") | imported_by("simulate", "lobby", "--help")

    assert "simulator.cli" in loaded
    assert not loaded & set(HEAVY)


def test_help_lists_the_verb_and_its_scenarios(run_cli: RunCli) -> None:
    assert "simulate" in run_cli("--help")

    told = run_cli("simulate", "--help")

    assert all(name in told for name in (*SCENARIOS, "crops"))
    assert "Example: noctule simulate lobby" in told


def test_list_names_every_scenario_with_a_sentence(run_cli: RunCli) -> None:
    lines = run_cli("simulate", "--list").splitlines()

    assert [line.split()[0] for line in lines] == list(SCENARIOS)


def test_without_a_name_it_is_the_town(run_cli: RunCli, tmp_path: Path) -> None:
    told = run_cli("simulate", "--camera", "nobody", "--out", str(tmp_path), code=2)

    assert "no such camera in town" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(("moon",), "no such scenario; there are town, plaza", id="scenario"),
        pytest.param(("lobby", "--size", "641x360"), "even numbers", id="odd size"),
        pytest.param(("lobby", "--size", "big"), "such as 640x360", id="no size"),
        pytest.param(("lobby", "--period", "noon"), "day,dusk,night", id="hour"),
        pytest.param(("demo", "--people", "7"), "6 people", id="people"),
        pytest.param(("lobby", "--minutes", "0"), "--minutes", id="minutes"),
        pytest.param(("lobby", "--uniformed", "0.9", "--alike", "0.9"), "shares", id="shares"),
    ],
)
def test_what_cannot_be_filmed_is_refused_with_what_can(
    run_cli: RunCli, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    assert told in run_cli("simulate", *words, "--out", str(tmp_path / "out"), code=2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("scenario", ["lobby", "crops"])
@pytest.mark.parametrize("below", [".", "out"])
def test_a_file_in_the_place_of_the_folder_ends_with_one_line(
    run_cli: RunCli, tmp_path: Path, scenario: str, below: str
) -> None:
    pytest.importorskip("anny", reason="extra `simulator`")
    (tmp_path / "file").touch()
    out = tmp_path / "file" / below

    told = run_cli("simulate", scenario, "--out", str(out), code=2)

    assert told.startswith(f"noctule: --out {out}: expected a folder")


def test_crops_of_no_light_are_refused(run_cli: RunCli, tmp_path: Path) -> None:
    none = ("--visible", "0", "--infrared", "0", "--thermal", "0")

    told = run_cli("simulate", "crops", *none, "--out", str(tmp_path / "out"), code=2)

    assert "one of --visible, --infrared, --thermal" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_work_in_order_and_with_a_sentence(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    cleaned_up: list[str] = []

    def work() -> None:
        with interruptible(), ExitStack() as stack:
            stack.callback(cleaned_up.append, "yes")
            os.kill(os.getpid(), number)
            time.sleep(60)

    with pytest.raises(typer.Exit) as ended:
        work()

    assert ended.value.exit_code == 130
    assert cleaned_up == ["yes"]
    assert signal.getsignal(number) == before


def test_a_missing_ffmpeg_ends_with_one_line(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("anny", reason="extra `simulator`")
    monkeypatch.setenv("PATH", str(tmp_path))

    told = run_cli("simulate", "lobby", "--out", str(tmp_path / "out"), code=1)

    assert told.startswith("noctule: ffmpeg: command not found; install it")
