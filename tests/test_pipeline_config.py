"""The configuration: closed, typed, with the line of every mistake; config.yaml is the manual."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import SiteConfig, load_config, parse_config
from pipeline.manual import manual
from streams.config import CameraConfig, Section
from streams.errors import ConfigInvalid

PROJECT = Path(__file__).parents[1]


def refused(text: str) -> str:
    with pytest.raises(ConfigInvalid) as refusal:
        parse_config(text, name="site.yaml")
    return str(refusal.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("site: yard\nstie: x\n", "site.yaml:2: stie: unknown key", id="unknown key"),
        pytest.param(
            "linking:\n  horizon_h: 24\n  link_att: 0.9\n",
            "site.yaml:3: linking.link_att: unknown key",
            id="unknown key in a section",
        ),
        pytest.param(
            "cameras:\n  - name: gate\n    source: gate.mp4\n  - name: a b\n    source: x.mp4\n",
            "site.yaml:4: cameras.1.name:",
            id="second camera's name",
        ),
        pytest.param(
            "cameras:\n  - {name: gate, source: a.mp4}\n  - {name: gate, source: b.mp4}\n",
            "the name 'gate' is used twice",
            id="camera name twice",
        ),
        pytest.param("site: a\nsite: b\n", "site.yaml:2: the key 'site' stands twice", id="twice"),
        pytest.param("a: &x [1]\nb: *x\n", "anchors and aliases", id="alias"),
        pytest.param("site: [\n", "site.yaml:2: not valid YAML", id="not YAML"),
        pytest.param("- 1\n", "site.yaml:1: expected keys and values", id="a list"),
        pytest.param(
            "!!python/object/apply:os.system [true]\n", "not valid YAML", id="code in YAML"
        ),
        pytest.param(
            "detector:\n  min_score: 7\n", "site.yaml:2: detector.min_score:", id="out of bounds"
        ),
        pytest.param(
            "linking:\n  overlapping: [[gate, moon]]\n", "no camera is named 'gate'", id="overlap"
        ),
        pytest.param(
            "alerts:\n  rules:\n  - name: a\n    kind: loitering\n    longer_than_s: -1\n",
            "site.yaml:5: alerts.rules.0.loitering.longer_than_s:",
            id="rule of alerting",
        ),
        pytest.param(
            "alerts:\n  rules:\n  - {name: a, kind: dancing}\n", "site.yaml:3:", id="no such kind"
        ),
        pytest.param(
            "alerts:\n  rules:\n  - name: a\n    kind: disk low\n    cameras: [moon]\n",
            "site.yaml:5: alerts.rules.0.cameras: there is no 'moon'",
            id="rule's camera",
        ),
        pytest.param(
            "alerts:\n  rules:\n  - {name: a, kind: disk low, channels: [pager]}\n",
            "there is no 'pager'; there are: none",
            id="rule's channel",
        ),
        pytest.param(
            "alerts:\n  time_zone: Europe/Atlantis\n", "site.yaml:2: alerts.time_zone", id="zone"
        ),
        pytest.param(
            "alerts:\n  rules:\n  - {name: a, kind: disk low, during: 7-19}\n",
            "write hours like",
            id="hours",
        ),
        pytest.param(
            "cameras:\n- name: gate\n  source: a.mp4\n  zones:\n"
            "  - {name: dock, points: [[0, 0], [1, 2], [1, 1]]}\n",
            "site.yaml:5: cameras.0.zones.0.points.1.1",
            id="corner beyond the picture",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_line(text: str, words: str) -> None:
    assert words in refused(text)


def test_a_missing_file_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"no such file; start from the config\.yaml"):
        load_config(tmp_path / "nowhere.yaml")


def test_an_empty_file_means_defaults() -> None:
    assert parse_config("", name="empty.yaml") == SiteConfig()


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("cameras: [{name: gate, source: footage/gate.mp4}]\n")

    site = load_config(tmp_path / "site.yaml")

    assert site.cameras[0].source.get_secret_value() == str(tmp_path / "footage/gate.mp4")
    assert site.storage.evidence == tmp_path / "site/evidence"
    database = site.storage.database.get_secret_value()
    assert database == f"sqlite:///{tmp_path / 'site/noctule.db'}"


def test_a_password_comes_from_the_environment_and_is_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATE_PASSWORD", "canary@7/#%")
    text = "cameras: [{name: gate, source: 'rtsp://op:${GATE_PASSWORD}@192.0.2.1/1'}]\n"

    site = parse_config(text, name="site.yaml")

    assert "canary%407%2F%23%25" in site.cameras[0].source.get_secret_value()
    assert "canary" not in repr(site)
    assert "canary" not in site.model_dump_json()


def test_a_mistake_beside_a_password_does_not_repeat_it() -> None:
    text = "cameras: [{name: gate, source: 'http://op:canary@192.0.2.1/1', colour: red}]\n"

    assert "canary" not in refused(text)


def test_a_missing_variable_is_named() -> None:
    words = refused("storage: {database: 'postgresql://u:${NOT_SET_ANYWHERE}@db/n'}\n")

    assert "NOT_SET_ANYWHERE" in words


def test_config_yaml_is_the_manual() -> None:
    text = (PROJECT / "config.yaml").read_text(encoding="utf-8")

    assert text == manual(parse_config(text, name="config.yaml"))


def test_the_manual_of_defaults_can_be_read_back() -> None:
    assert parse_config(manual(SiteConfig()), name="manual") == SiteConfig()


def sections(section: type[Section]) -> set[type[Section]]:
    kinds = {
        field.annotation
        for field in section.model_fields.values()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }
    return {section}.union(*(sections(kind) for kind in kinds))


def test_every_key_has_a_sentence() -> None:
    for section in sections(SiteConfig) | sections(CameraConfig):
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name} has no description"
            assert field.description.endswith("."), f"{section.__name__}.{name}: not a sentence"


def test_every_fixed_threshold_with_a_unit_says_it() -> None:
    units = {"_s": "second", "_h": "hour", "_px": "pixel", "_mb": "megabyte", "_percent": "percent"}
    for section in sections(SiteConfig) | sections(CameraConfig):
        for name, field in section.model_fields.items():
            for suffix, unit in units.items():
                if name.endswith(suffix):
                    assert unit in (field.description or "").lower(), f"{section.__name__}.{name}"


def test_config_yaml_sets_nothing_but_the_demo_cameras_and_their_rules() -> None:
    site = load_config(PROJECT / "config.yaml")

    plain = SiteConfig()
    assert site.model_copy(
        update={
            "storage": plain.storage,
            "alerts": site.alerts.model_copy(update={"rules": ()}),
            "cameras_file": plain.cameras_file,
        }
    ) == SiteConfig(site=site.site, cameras=site.cameras)


def test_the_manual_of_rules_zones_and_channels_can_be_read_back() -> None:
    site = parse_config(
        """
cameras:
- name: gate
  source: rtsp://op:pass@gate.example/1
  zones: [{name: dock, points: [[0, 0], [1, 0], [1, 1]]}]
alerts:
  holidays: [2026-12-25]
  rules:
  - {name: a, kind: loitering, zone: dock, severity: critical, outside: '07:00-19:00'}
  - {name: b, kind: person of interest, persons: [red coat], channels: [ours]}
  channels:
  - {name: ours, kind: webhook, url: 'https://example.org/in', secret: 0123456789abcdef}
""",
        name="site.yaml",
    )

    assert parse_config(manual(site), name="manual.yaml") == site
