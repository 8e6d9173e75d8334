"""Configuring cameras: what is accepted, what is refused, and that no secret leaks."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from streams.address import shown, without_secrets
from streams.config import CameraConfig

CANARY = "canary-7391"


def camera(source: str, **fields: object) -> CameraConfig:
    return CameraConfig.model_validate({"name": "gate", "source": source, **fields})


def refusal(source: str, **fields: object) -> str:
    with pytest.raises(ValidationError) as caught:
        camera(source, **fields)
    return str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("rtsp://gate/live", id="bare host"),
        pytest.param("rtsps://me:pw@gate.example:322/live?channel=1#x", id="all parts"),
        pytest.param("RTSP://192.0.2.7:8554/", id="upper case"),
        pytest.param("rtsp://[2001:db8::7]:554/live", id="IPv6"),
        pytest.param("rtsp://me:p%40%3A%2F%23%25@gate/live", id="encoded password"),
        pytest.param("/footage/night walk.mp4", id="path with a space"),
        pytest.param("./a:b.mp4", id="path with a colon"),
        pytest.param("C:\\footage\\gate.avi", id="drive letter"),
    ],
)
def test_addresses_that_people_write_are_accepted(source: str) -> None:
    assert camera(source).source.get_secret_value() == source


@pytest.mark.parametrize(
    "source",
    [
        "concat:/etc/passwd|/etc/hosts",
        "subfile:,,start,0,end,9,,:/etc/passwd",
        "data:video/mp4;base64,AAAA",
        "http://169.254.169.254/latest",
        "https://gate/live.m3u8",
        "pipe:0",
        "exec:id",
        "file:/etc/passwd",
        "rtmp://gate/live",
        "crypto:x",
        "concatf:list.txt",
    ],
)
def test_other_protocols_are_refused(source: str) -> None:
    assert "is not read; expected rtsp://" in refusal(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param("", "source is empty", id="empty"),
        pytest.param("   ", "source is empty", id="blank"),
        pytest.param("rtsp://gate/" + "x" * 4096, "at most 2048", id="4 KB long"),
        pytest.param("rtsp://", "host and port", id="no host"),
        pytest.param("rtsp://gate:port/live", "host and port", id="port is no number"),
        pytest.param(f"rtsp://me:{CANARY}%zz@gate/live", "%25", id="bare percent"),
        pytest.param(f"rtsp://me:{CANARY}@x@gate/live", "%40", id="bare @"),
        pytest.param(f"rtsp://me:{CANARY}/x@gate/live", "%2F", id="bare /"),
        pytest.param(f"rtsp://me:{CANARY}#x@gate/live", "%23", id="bare #"),
        pytest.param(f"rtsp://me:{CANARY} x@gate/live", "encoded", id="space"),
        pytest.param(f"rtsp://me:{CANARY}é@gate/live", "encoded", id="not ASCII"),
        pytest.param(f"rtsp://me:{CANARY}\n@gate/live", "control character", id="line break"),
    ],
)
def test_odd_addresses_are_refused_with_advice_and_without_repeating_them(
    source: str, words: str
) -> None:
    message = refusal(source)

    assert words in message
    assert CANARY not in message


@pytest.mark.parametrize("password", ["a@b:/#?%", "ü ñ 漢", "${HOME}", "plain"])
def test_a_password_from_the_environment_may_hold_any_character(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_PASSWORD", password)

    source = camera("rtsp://me:${GATE_PASSWORD}@gate/live").source.get_secret_value()

    user_part = source.removeprefix("rtsp://me:").removesuffix("@gate/live")
    assert user_part.isascii()
    assert not set("@/#?$ ") & set(user_part)
    assert camera(source).source.get_secret_value() == source


def test_a_whole_address_from_the_environment_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATE", "rtsp://me:p%40@gate/live")

    assert camera("${GATE}").is_live


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATE_PASSWORD", raising=False)

    message = refusal(f"rtsp://{CANARY}:${{GATE_PASSWORD}}@gate/live")

    assert "GATE_PASSWORD is not set" in message
    assert CANARY not in message


@pytest.mark.parametrize(
    "region", [(0.5, 0.0, 0.5, 1.0), (0.0, 0.9, 1.0, 0.1), (0.0, 0.0, 1.5, 1.0), (0.0, 0.0, 1.0)]
)
def test_regions_that_hold_nothing_are_refused(region: tuple[float, ...]) -> None:
    assert "region" in refusal("gate.mp4", region=region)


def test_a_start_without_time_zone_is_refused() -> None:
    assert "starts_at" in refusal("gate.mp4", starts_at="2026-01-01T00:00:00")


def test_a_live_camera_cannot_be_told_when_it_starts() -> None:
    assert "starts_at" in refusal("rtsp://gate/live", starts_at="2026-01-01T00:00:00Z")


@pytest.mark.parametrize("name", ["", "a b", "../gate", "é", "x" * 65, "gate\n"])
def test_names_that_could_not_be_file_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        CameraConfig(name=name, source=SecretStr("gate.mp4"))


def test_every_setting_is_described() -> None:
    for name, field in CameraConfig.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize(
    "address",
    [
        f"rtsp://me:{CANARY}@gate/live",
        f"rtsp://{CANARY}@gate/live",
        f"rtsp://gate/live?user=me&password={CANARY}",
        f"rtsp://gate/user=me&password={CANARY}&channel=1",
        f"rtsp://me:a@{CANARY}@gate/live",
        f"rtsp://me:a/{CANARY}@gate/live",
    ],
)
def test_shown_addresses_keep_the_host_and_lose_the_password(address: str) -> None:
    assert CANARY not in shown(address)
    assert "gate/" in shown(address)


@pytest.mark.parametrize(
    "text", ["open {a} failed", "user me:{p} bad", "{p}", "got {q}", "code 401 for {p}@gate"]
)
def test_text_that_may_repeat_an_address_is_cleaned(text: str) -> None:
    address = f"rtsp://me:{CANARY}%40x@gate/live?token={CANARY}2"
    spoken = text.format(a=address, p=f"{CANARY}@x", q=f"token={CANARY}2")

    assert CANARY not in without_secrets(spoken, address)


def test_a_camera_printed_or_dumped_shows_no_password() -> None:
    gate = camera(f"rtsp://me:{CANARY}@gate/live")

    assert CANARY not in f"{gate!r} {gate} {gate.model_dump_json()}"
