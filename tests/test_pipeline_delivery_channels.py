"""Channels of alerts, against real receivers that answer, refuse, hang and lead astray."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from pydantic import ValidationError

from pipeline.alerts.channels_config import ChannelConfig, MqttConfig
from pipeline.alerts.delivery.channel import open_channel
from pipeline.alerts.delivery.destination import refused_as
from pipeline.alerts.delivery.message import Message, Parcel, delivery_key
from pipeline.alerts.delivery.mqtt import Mqtt
from pipeline.alerts.delivery.within import Within
from pipeline.config import load_config
from pipeline.errors import SendFailed, SendRefused
from storage.desk.types import AlertSeverity, Purpose
from streams.clock import SystemClock
from tests.delivery_sinks import (
    SECRET,
    BrokerSink,
    Dripping,
    Posted,
    WebSink,
    config,
    listener,
    mail_sink,
    make_certificate,
    server_tls,
    web_sink,
)
from tests.processes import PATIENCE_S, wait_for

CANARY = "canary-7f3a/@:#"
PICTURE = b"\xff\xd8picture\xff\xd9"
NOW_US = 1_780_322_400_000_000


def parcel(purpose: Purpose = Purpose.ALERT, sentence: str = "somebody is at the dock") -> Parcel:
    message = Message(
        purpose=purpose,
        site="yard",
        sentence=sentence,
        severity=AlertSeverity.WARNING,
        began_us=NOW_US,
        rule="dock at night",
        kind="zone entered",
        cameras=("dock",),
        person="P-0007",
        probability=0.91,
    )
    key = delivery_key("dock at night/1", purpose, "a")
    return Parcel(key=key, at_us=NOW_US, message=message, alert=12, picture=PICTURE)


def send(
    settings: ChannelConfig, sent: Parcel | None = None, *, limit_s: float = PATIENCE_S
) -> str:
    channel = open_channel(settings, site="yard", clock=SystemClock())
    try:
        return channel.send(sent or parcel(), limit_s=limit_s)
    finally:
        channel.close()


def webhook(sink: WebSink | str, **keys: Any) -> ChannelConfig:
    url = sink if isinstance(sink, str) else sink.url
    return config(kind="webhook", **{"url": url, "secret": SECRET, "allow_private": True, **keys})


@pytest.fixture
def sink() -> Iterator[WebSink]:
    with web_sink() as opened:
        yield opened


def test_a_webhook_carries_key_fields_and_picture_and_is_signed(sink: WebSink) -> None:
    began_s = int(time.time())
    answer = send(webhook(sink, authorization="Bearer abc"))

    (posted,) = sink.posted
    headers = posted.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + posted.body
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert answer == "HTTP 204 No Content"
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert headers["idempotency-key"] == headers["webhook-id"] == parcel().key
    assert began_s <= int(headers["webhook-timestamp"]) <= time.time()
    assert headers["authorization"] == "Bearer abc"
    assert headers["host"] == f"127.0.0.1:{sink.port}"
    assert posted.fields["sentence"] == "somebody is at the dock"
    assert posted.fields["began"] == "2026-06-01T14:00:00.000000Z"
    assert base64.b64decode(posted.fields["picture"]["base64"]) == PICTURE


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/inside", "http://169.254.169.254/latest/meta-data/"]
)
def test_a_redirect_is_never_followed(sink: WebSink, status: int, place: str) -> None:
    sink.answer = lambda _: (status, {"location": place.format(port=sink.port)})

    with pytest.raises(SendFailed, match=f"HTTP {status}.*redirects are not followed"):
        send(webhook(sink))

    assert [posted.path for posted in sink.posted] == ["/hook"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"],
)
def test_a_webhook_to_this_machine_is_refused_before_connecting(sink: WebSink, host: str) -> None:
    with pytest.raises(SendFailed, match=r"nothing is sent there|name of the host is not known"):
        send(webhook(f"http://{host}:{sink.port}/hook", allow_private=False))

    assert not sink.posted


@pytest.mark.parametrize(
    ("address", "inside", "never"),
    [
        ("10.1.2.3", True, False),
        ("172.16.0.1", True, False),
        ("192.168.1.1", True, False),
        ("100.64.0.1", True, False),
        ("fd12::1", True, False),
        ("::1", True, False),
        ("2002:7f00:1::", True, False),
        ("64:ff9b::7f00:1", True, False),
        ("64:ff9b::a9fe:a9fe", True, True),
        ("169.254.169.254", True, True),
        ("::ffff:169.254.169.254", True, True),
        ("fe80::1", True, True),
        ("fd00:ec2::254", True, True),
        ("100.100.100.200", True, True),
        ("224.0.0.1", True, True),
        ("0.0.0.0", True, True),
        ("::", True, True),
        ("8.8.8.8", False, False),
        ("2606:4700::1111", False, False),
    ],
)
def test_addresses_inside_are_refused(address: str, inside: bool, never: bool) -> None:
    parsed = ipaddress.ip_address(address)

    assert (refused_as(parsed, allow_private=False) is not None) == inside
    assert (refused_as(parsed, allow_private=True) is not None) == never


def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    truly = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host != "evil.example":
            return truly(host, port, *rest, **more)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    send(webhook(f"http://evil.example:{sink.port}/hook"))
    with pytest.raises(SendFailed, match="metadata address"):
        send(webhook(f"http://evil.example:{sink.port}/hook"))

    assert asked == ["evil.example"] * 2  # once for each message: what was checked is connected to
    assert [posted.headers["host"] for posted in sink.posted] == [f"evil.example:{sink.port}"]


def test_a_webhook_that_hangs_is_given_up_in_time(sink: WebSink) -> None:
    released = threading.Event()

    def late(_: Posted) -> tuple[int, dict[str, str]]:
        released.wait(2 * PATIENCE_S)
        return 204, {}

    sink.answer = late

    with given_up_soon(), pytest.raises(SendFailed, match="in time"):
        send(webhook(sink), limit_s=0.3)
    released.set()


@contextmanager
def given_up_soon() -> Iterator[None]:
    """The other side would go on for ever."""
    began_s = time.monotonic()
    yield
    assert time.monotonic() - began_s < PATIENCE_S


def test_a_webhook_that_drips_is_given_up_in_time() -> None:
    with given_up_soon(), Dripping() as dripping, pytest.raises(SendFailed):
        send(webhook(f"http://127.0.0.1:{dripping.port}/"), limit_s=0.5)


@pytest.mark.parametrize("status", [401, 404, 408, 429, 500, 503])
def test_trouble_at_the_receiver_may_pass(sink: WebSink, status: int) -> None:
    sink.answer = lambda _: (status, {"retry-after": "7"})

    with pytest.raises(SendFailed, match=f"HTTP {status}") as failure:
        send(webhook(sink))

    assert failure.value.retry_after_s == 7


def test_a_message_that_the_receiver_does_not_like_is_not_sent_again(sink: WebSink) -> None:
    sink.answer = lambda _: (422, {})

    with pytest.raises(SendRefused, match="HTTP 422"):
        send(webhook(sink))


def test_a_webhook_over_tls_is_sent_only_to_whom_we_trust(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with web_sink(server_tls(certificate)) as sink:
        url = f"https://localhost:{sink.port}/hook"
        send(webhook(url, ca_file=certificate))
        with pytest.raises(SendFailed, match="certificate is not trusted"):
            send(webhook(url))

    assert len(sink.posted) == 1


def test_mqtt_tells_home_assistant_alert_and_picture_and_says_goodbye() -> None:
    with BrokerSink() as broker:
        settings = config(kind="mqtt", host="127.0.0.1", port=broker.port, tls=False)
        with listener(broker.port) as heard:
            send(settings)
            assert wait_for(lambda: [m.payload for m in heard[-1:]] == [b"offline"])
        with listener(broker.port) as retained:
            assert wait_for(lambda: len({m.topic for m in retained}) == 5)

    by_topic = {message.topic: message.payload for message in heard}
    found = [
        json.loads(payload)
        for topic, payload in {m.topic: m.payload for m in retained}.items()
        if topic.startswith("homeassistant/")
    ]
    order = [message.topic for message in heard if not message.topic.startswith("homeassistant/")]
    told = json.loads(by_topic["noctule/alert"])
    assert order == [
        "noctule/availability",
        "noctule/picture",
        "noctule/alert",
        "noctule/availability",
    ]
    assert by_topic["noctule/picture"] == PICTURE
    assert told["key"] == parcel().key
    assert told["event_type"] == "alert"
    assert {entity["availability_topic"] for entity in found} == {"noctule/availability"}
    assert len({entity["unique_id"] for entity in found}) == 4
    assert "noctule/alert" not in {message.topic for message in retained}


def test_the_broker_says_offline_when_the_sender_dies() -> None:
    with BrokerSink() as broker, listener(broker.port) as heard:
        settings = config(kind="mqtt", host="127.0.0.1", port=broker.port, tls=False)
        channel = open_channel(settings, site="yard", clock=SystemClock())
        assert isinstance(channel, Mqtt)
        channel.greet(limit_s=PATIENCE_S)
        assert wait_for(lambda: any(m.payload == b"online" for m in heard))

        client = channel._client
        assert client is not None
        sock = client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)  # as when the process is killed

        assert wait_for(lambda: any(m.payload == b"offline" for m in heard))
        channel.close()


def test_mqtt_waits_for_a_broker_that_was_away() -> None:
    with BrokerSink() as broker:
        settings = config(kind="mqtt", host="127.0.0.1", port=broker.port, tls=False)
        channel = open_channel(settings, site="yard", clock=SystemClock())
        channel.send(parcel(), limit_s=PATIENCE_S)
        broker.off()
        with pytest.raises(SendFailed):
            channel.send(parcel(), limit_s=0.5)
        broker.on()
        with listener(broker.port) as heard:
            channel.send(parcel(), limit_s=PATIENCE_S)
            assert wait_for(lambda: any(m.topic == "noctule/alert" for m in heard))
        channel.close()

    assert [m.topic for m in heard].count("noctule/alert") == 1


def test_a_broker_over_tls_that_refuses_the_password_is_told_without_it(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    passwords = tmp_path / "passwords"
    right = "a right canary 7"
    passwords.write_text(f"ada:{PasswordHasher(time_cost=1, memory_cost=256).hash(right)}\n")
    with BrokerSink(certificate=certificate, passwords=passwords) as broker:

        def ada(password: str) -> ChannelConfig:
            return config(
                kind="mqtt",
                host="localhost",
                port=broker.port,
                ca_file=certificate,
                user="ada",
                password=password,
            )

        assert send(ada(right)) == "taken by the broker", "the same broker takes the right one"
        with pytest.raises(SendFailed, match="refuses us") as refusal:
            send(ada(CANARY))

    assert CANARY not in str(refusal.value)


def test_a_mail_has_the_key_as_its_id_and_the_picture_attached() -> None:
    with mail_sink() as sink:
        settings = email(sink.port, security="none")
        answer = send(settings, parcel(sentence="somebody\r\nBcc: evil@example.org"))

    (mail,) = sink.mails
    attached = next(iter(mail.iter_attachments()))
    assert answer == "accepted for 2 of 2 addresses"
    assert mail["Message-ID"] == f"<{parcel().key}@example.org>"
    assert mail["Subject"] == "[yard] somebody Bcc: evil@example.org"
    assert mail["Bcc"] is None
    assert sink.recipients == [["ada@example.org", "bo@example.org"]]
    assert attached.get_content() == PICTURE


def email(port: int, **keys: Any) -> ChannelConfig:
    people = ["ada@example.org", "bo@example.org"]
    settings = {"host": "localhost", "port": port, "sender": "yard@example.org", "to": people}
    return config(kind="email", **{**settings, **keys})


def test_a_mail_goes_out_encrypted_and_with_the_password(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with mail_sink(server_tls(certificate), password=CANARY) as sink:
        login = {"user": "ada", "ca_file": certificate}
        send(email(sink.port, password=CANARY, **login))
        with pytest.raises(SendFailed, match=r"refuses user or password \(SMTP 535"):
            send(email(sink.port, password="another-password", **login))
        with pytest.raises(SendFailed, match="certificate is not trusted"):
            send(email(sink.port, user="ada", password=CANARY))

    assert len(sink.mails) == 1


def test_a_mail_server_without_encryption_gets_no_password() -> None:
    with mail_sink() as sink, pytest.raises(SendFailed, match="broke off"):
        send(email(sink.port, user="ada", password=CANARY))

    assert not sink.mails


def test_an_address_that_is_unknown_does_not_cost_the_others_their_mail() -> None:
    with mail_sink() as sink:
        sink.refuses = {"bo@example.org"}
        answer = send(email(sink.port, security="none"))
        sink.refuses |= {"ada@example.org"}
        with pytest.raises(SendRefused, match="no address is accepted"):
            send(email(sink.port, security="none"))

    assert answer == "accepted for 1 of 2 addresses"
    assert len(sink.mails) == 1


def test_a_mail_server_that_drips_is_cut_off_in_time() -> None:
    with given_up_soon(), Dripping() as dripping, pytest.raises(SendFailed):
        send(email(dripping.port, security="none"), limit_s=0.5)


def test_a_mail_goes_out_encrypted_from_the_start(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with mail_sink(server_tls(certificate), password=CANARY, from_the_start=True) as sink:
        settings = {"security": "tls", "user": "ada", "password": CANARY}
        send(email(sink.port, ca_file=certificate, **settings))

    assert len(sink.mails) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [("451 4.7.1 greylisted", SendFailed), ("554 5.6.0 no", SendRefused)],
    ids=["later", "never"],
)
def test_a_mail_server_says_later_or_never(answer: str, error: type[Exception]) -> None:
    with mail_sink() as sink:
        sink.answer = answer
        with pytest.raises(error, match=f"SMTP {answer[:9]}"):
            send(email(sink.port, security="none"))


def test_a_service_of_apprise_gets_words_and_picture(sink: WebSink) -> None:
    url = f"json://127.0.0.1:{sink.port}/notify"

    send(config(kind="apprise", url=url, allow_private=True))

    (posted,) = sink.posted
    assert "somebody is at the dock" in posted.fields["title"]
    assert parcel().key in posted.fields["message"]
    assert base64.b64decode(posted.fields["attachments"][0]["base64"]) == PICTURE


def test_a_service_of_apprise_does_not_lead_inside(sink: WebSink) -> None:
    url = f"json://127.0.0.1:{sink.port}/notify?redirect=yes"
    with pytest.raises(SendFailed, match="nothing is sent there"):
        send(config(kind="apprise", url=url))
    sink.answer = lambda _: (307, {"location": "http://169.254.169.254/"})
    with pytest.raises(SendFailed, match="status 307"):
        send(config(kind="apprise", url=url, allow_private=True), limit_s=2)

    assert len(sink.posted) == 1


def test_a_canary_password_is_in_no_word_and_no_log(
    sink: WebSink, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("CANARY_PATH", "canary-7f3a-path")
    caplog.set_level(logging.DEBUG)
    sink.answer = lambda _: (500, {"x-echo": CANARY})
    settings = [
        webhook(sink, secret="${CANARY}${CANARY}", authorization="Bearer ${CANARY}"),
        webhook(f"{sink.url}/${{CANARY_PATH}}?token=${{CANARY_PATH}}"),
        config(
            kind="apprise",
            url=f"json://ada:${{CANARY}}@127.0.0.1:{sink.port}/${{CANARY_PATH}}",
            allow_private=True,
        ),
        config(kind="apprise", url="nonsense://${CANARY_PATH}"),
        email(9, user="ada", password="${CANARY}"),
        config(kind="mqtt", host="127.0.0.1", port=9, tls=False, user="a", password="${CANARY}"),
    ]
    words = []
    for setting in settings:
        with pytest.raises((SendFailed, SendRefused)) as failure:
            send(setting)
        words.append(str(failure.value) + repr(failure.value) + repr(failure.value.__cause__))
        words.append(repr(setting) + setting.model_dump_json())

    assert len(sink.posted) == 3
    assert "canary-7f3a" not in "".join(words)
    assert "canary" not in caplog.text
    assert "ada:" not in caplog.text


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"kind": "webhook", "url": "ftp://a/canary", "secret": SECRET}, "expected https://"),
        ({"kind": "webhook", "url": "https://a:canary@b/", "secret": SECRET}, "authorization"),
        ({"kind": "webhook", "url": "https://b/", "secret": "canary"}, "at least 16"),
        ({"kind": "webhook", "url": "https://b:canary/", "secret": SECRET}, "cannot be read"),
        ({"kind": "mqtt", "host": "b", "topic": "a/#"}, "topic"),
        ({"kind": "mqtt", "host": "b", "password": "canary"}, "needs a `user`"),
        (
            {
                "kind": "email",
                "host": "b",
                "sender": "a@b",
                "to": ["a@b"],
                "user": "a",
                "security": "none",
                "password": "canary",
            },
            "not sent unencrypted",
        ),
        ({"kind": "email", "host": "b", "sender": "a@b", "to": ["a@b\nBcc: c@d"]}, "to"),
        ({"kind": "apprise", "url": "tgram://${CANARY_UNSET}/1"}, "CANARY_UNSET"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_in_a_channel_is_told_without_its_secrets(
    keys: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        config(**keys)

    assert words in str(refusal.value)
    assert "canary" not in str(refusal.value)


def test_a_file_of_authorities_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "alerts: {channels: [{name: a, kind: mqtt, host: b, ca_file: ca.pem}]}\n"
    )

    (channel,) = load_config(tmp_path / "site.yaml").alerts.channels

    assert isinstance(channel, MqttConfig)
    assert channel.ca_file == tmp_path / "ca.pem"


def test_a_call_that_hangs_is_left_alone_and_not_made_twice() -> None:
    released = threading.Event()

    def late() -> str:
        released.wait(2 * PATIENCE_S)
        return "late"

    within: Within[str] = Within("test")
    with pytest.raises(SendFailed, match="no answer within"):
        within.call(late, limit_s=0.05)
    with pytest.raises(SendFailed, match="still hangs"):
        within.call(lambda: "never made", limit_s=PATIENCE_S)
    released.set()

    assert wait_for(lambda: _tries(within))


def _tries(within: Within[str]) -> bool:
    try:
        return within.call(lambda: "made", limit_s=PATIENCE_S) == "made"
    except SendFailed:
        return False


def test_a_fault_of_a_library_is_told_without_its_words() -> None:
    def fault() -> str:
        raise RuntimeError(f"https://ada:{CANARY}@host")

    with pytest.raises(SendFailed, match=r"RuntimeError at test_pipeline_delivery") as failure:
        Within[str]("test").call(fault, limit_s=PATIENCE_S)

    assert "canary" not in str(failure.value)


def test_a_message_survives_the_outbox() -> None:
    message = parcel().message

    assert Message.from_payload(json.loads(json.dumps(message.to_payload()))) == message
