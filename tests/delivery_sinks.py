"""Real receivers of alerts: a web server, an MQTT broker, a mail server, each in a thread."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from amqtt.broker import Broker  # type: ignore[import-untyped]
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.alerts.channels_config import ChannelConfig
from streams.config import Section
from tests.processes import PATIENCE_S

SECRET = "0123456789abcdef"


class One(Section):
    """As the configuration holds channels."""

    channel: ChannelConfig


def config(**keys: Any) -> ChannelConfig:
    """A channel with these settings, called `a` unless they say otherwise."""
    return One.model_validate({"channel": {"name": "a", **keys}}).channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One request that a web server got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


@dataclass(slots=True, kw_only=True)
class WebSink:
    """A web server that answers as it is told.

    Attributes:
        answer: Called for each request; returns status and headers, and may take its time.
        taken: Sentences by key of what was accepted: this receiver honours the key.
    """

    port: int
    answer: Callable[[Posted], tuple[int, dict[str, str]]] = lambda _: (204, {})
    posted: list[Posted] = field(default_factory=list)
    taken: dict[str, list[str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def web_sink(tls: ssl.SSLContext | None = None) -> Iterator[WebSink]:
    """A web server on this machine until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            posted = Posted(path=self.path, headers=headers, body=body)
            sink.posted.append(posted)
            status, more = sink.answer(posted)
            if 200 <= status < 300 and "webhook-id" in headers:
                sink.taken.setdefault(headers["webhook-id"], []).append(posted.fields["sentence"])
            try:
                self.send_response(status)
                for name, value in {"content-length": "0", **more}.items():
                    self.send_header(name, value)
                self.end_headers()
            except OSError:  # the sender has given up
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    sink = WebSink(port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()


class BrokerSink:
    """A real MQTT broker that can be taken away and brought back on the same port."""

    def __init__(self, *, certificate: Path | None = None, passwords: Path | None = None) -> None:
        self.port = free_port()
        listener: dict[str, Any] = {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}
        if certificate is not None:
            listener |= {"ssl": True, "certfile": str(certificate), "keyfile": str(certificate)}
        anonymous: dict[str, Any] = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}}
        by_file: dict[str, Any] = {
            "amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(passwords)}
        }
        self._config = {
            "listeners": {"default": listener},
            "plugins": anonymous if passwords is None else by_file,
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._broker: Broker | None = None

    def on(self) -> None:
        async def start() -> Broker:
            broker = Broker(self._config)
            await broker.start()
            return broker

        self._broker = asyncio.run_coroutine_threadsafe(start(), self._loop).result(PATIENCE_S)

    def off(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            asyncio.run_coroutine_threadsafe(broker.shutdown(), self._loop).result(PATIENCE_S)

    def __enter__(self) -> BrokerSink:
        self.on()
        return self

    def __exit__(self, *_: object) -> None:
        self.off()
        asyncio.run_coroutine_threadsafe(_end_others(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()


async def _end_others() -> None:
    """amqtt leaves tasks behind."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message that a subscriber got."""

    topic: str
    payload: bytes
    retained: bool


@contextmanager
def listener(port: int) -> Iterator[list[Heard]]:
    """Everything that is published to the broker at `port`, retained messages first."""
    heard: list[Heard] = []
    ready = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)

    def keep(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        heard.append(
            Heard(
                topic=message.topic, payload=bytes(message.payload), retained=bool(message.retain)
            )
        )

    client.on_connect = lambda c, *_: c.subscribe("#", qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = keep
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert ready.wait(PATIENCE_S), "the broker did not answer the test"
    try:
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


@dataclass(slots=True, kw_only=True)
class MailSink:
    """What a mail server got, and how it answers."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answer: str = "250 OK"
    refuses: set[str] = field(default_factory=set)

    async def handle_RCPT(
        self, _server: SMTP, _session: object, envelope: Any, address: str, _options: object
    ) -> str:
        if address in self.refuses:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: object, envelope: Any) -> str:
        if self.answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients.append(list(envelope.rcpt_tos))
        return self.answer


@contextmanager
def mail_sink(
    tls: ssl.SSLContext | None = None, *, password: str = "", from_the_start: bool = False
) -> Iterator[MailSink]:
    """A mail server on this machine; with `tls` it asks for the password, encrypted.

    Args:
        from_the_start: Encrypted without STARTTLS.
    """
    sink = MailSink(port=free_port())

    def check(
        _server: object, _session: object, _envelope: object, _how: str, data: object
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password.decode() == password
        return AuthResult(success=good, handled=False)

    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=sink.port,
        ssl_context=tls if from_the_start else None,
        tls_context=None if from_the_start else tls,
        require_starttls=tls is not None and not from_the_start,
        auth_require_tls=not from_the_start,  # it looks for STARTTLS
        auth_required=tls is not None,
        authenticator=check if tls is not None else None,
        ready_timeout=PATIENCE_S,
    )
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def free_port() -> int:
    """A port where nobody listens, of those that Linux gives to no client by itself."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are all taken")


def make_certificate(folder: Path) -> Path:
    """A certificate for localhost and its key in one PEM file, which is its own authority."""
    file, key = folder / "sink.pem", folder / "sink.key"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    words += "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(
        ["openssl", *words.split(), "-out", str(file), "-keyout", str(key)],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + key.read_text())
    return file


def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Dripping:
    """A server that says one byte now and then, and never ends."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._ends = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            connection, _ = self._server.accept()
            with connection:
                while not self._ends.is_set():
                    connection.send(b"H")
                    time.sleep(0.05)
        except OSError:
            return

    def __enter__(self) -> Dripping:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._server.close()
