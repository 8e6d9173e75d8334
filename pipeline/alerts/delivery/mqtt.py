"""Publishing to an MQTT broker: quality of service 1, a last will, retained availability."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from pipeline.alerts.channels_config import MqttConfig
from pipeline.alerts.delivery.home_assistant import Topics, announcements
from pipeline.alerts.delivery.message import Parcel
from pipeline.errors import SendFailed
from storage.desk.types import Purpose

logger = logging.getLogger(__name__)

ONLINE, OFFLINE = b"online", b"offline"
KEEP_ALIVE_S = 30
GOODBYE_S = 2.0
AT_LEAST_ONCE = 1


class Mqtt:
    """Stays connected between messages, so that the broker can tell when we are gone.

    Args:
        is_guest: For a single test beside the one who delivers: a name of its own at the broker,
            and no word about availability.
    """

    def __init__(self, config: MqttConfig, *, site: str, is_guest: bool = False) -> None:
        self._config = config
        self._site = site
        self._is_guest = is_guest
        self._topics = Topics(base=config.topic)
        self._tls = ssl.create_default_context(cafile=config.ca_file) if config.tls else None
        self._client: paho.Client | None = None
        self._answered = threading.Event()
        self._refused: str | None = None

    def send(self, parcel: Parcel, *, limit_s: float) -> str:
        """Publish picture, then fields; returns when the broker has taken both.

        Raises:
            SendFailed: It is away, refuses us, or did not take them in time.
        """
        end_s = time.monotonic() + limit_s
        try:
            client = self._connected(end_s)
            if parcel.message.purpose is Purpose.HEARTBEAT:
                _publish(client, self._topics.heartbeat, parcel.to_json(), end_s, retain=True)
                return "taken by the broker"
            picture = None
            if parcel.picture is not None:
                _publish(client, self._topics.picture, parcel.picture, end_s)
                picture = {"topic": self._topics.picture, "sha256": parcel.picture_sha256}
            _publish(client, self._topics.alert, parcel.to_json(picture=picture), end_s)
        except SendFailed:
            self._drop()  # else it would go on sending by itself what is tried again anyway
            raise
        return "taken by the broker"

    def close(self) -> None:
        """Say goodbye; the broker need not wait until it misses us."""
        client = self._client
        if client is not None and client.is_connected() and not self._is_guest:
            try:
                end_s = time.monotonic() + GOODBYE_S
                _publish(client, self._topics.availability, OFFLINE, end_s, retain=True)
            except SendFailed:
                logger.info("the broker of channel %s did not hear our goodbye", self._config.name)
        self._drop()

    def greet(self, *, limit_s: float) -> None:
        """Be connected, and be seen as available.

        Raises:
            SendFailed: The broker is away or refuses us.
        """
        try:
            self._connected(time.monotonic() + limit_s)
        except SendFailed:
            self._drop()
            raise

    def _connected(self, end_s: float) -> paho.Client:
        client = self._client
        if client is None:
            client = self._client = self._begin(end_s)
        if not self._answered.wait(max(0.0, end_s - time.monotonic())):
            raise SendFailed("the broker did not answer in time")
        if self._refused is not None:
            raise SendFailed(f"the broker refuses us: {self._refused}")
        return client

    def _begin(self, end_s: float) -> paho.Client:
        client = self._make_client()
        client.connect_timeout = max(0.1, end_s - time.monotonic())
        try:
            client.connect(self._config.host, self._config.tcp_port, keepalive=KEEP_ALIVE_S)
        except ssl.SSLCertVerificationError as error:
            raise SendFailed(
                f"the broker's certificate is not trusted ({error.verify_message})"
            ) from None
        except (OSError, ValueError) as error:
            raise SendFailed(f"the broker cannot be reached ({type(error).__name__})") from None
        client.loop_start()
        return client

    def _make_client(self) -> paho.Client:
        name = "noctule-" + self._config.topic.replace("/", "-")
        if self._is_guest:
            name += f"-{socket.gethostname()}-{time.monotonic_ns()}"
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=True)
        if self._config.user is not None:
            password = self._config.password
            client.username_pw_set(
                self._config.user, None if password is None else password.get_secret_value()
            )
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if not self._is_guest:
            client.will_set(self._topics.availability, OFFLINE, qos=AT_LEAST_ONCE, retain=True)
        self._answered = threading.Event()
        self._refused = None
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        return client

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, code: Any, _: Any) -> None:
        """On paho's thread, at each connection, also when it came back by itself."""
        if client is not self._client and self._client is not None:
            return
        self._refused = str(code) if code.is_failure else None
        if self._refused is None and not self._is_guest:
            if self._config.discovery is not None:
                told = announcements(self._topics, site=self._site, prefix=self._config.discovery)
                for topic, payload in told.items():
                    client.publish(topic, payload, qos=AT_LEAST_ONCE, retain=True)
            client.publish(self._topics.availability, ONLINE, qos=AT_LEAST_ONCE, retain=True)
        self._answered.set()

    def _on_disconnect(self, client: paho.Client, *_: Any) -> None:
        if client is self._client:
            self._answered.clear()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()


def _publish(
    client: paho.Client, topic: str, payload: bytes, end_s: float, *, retain: bool = False
) -> None:
    """Publish, and wait until the broker says that it has it."""
    info = client.publish(topic, payload, qos=AT_LEAST_ONCE, retain=retain)
    if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
        raise SendFailed("the connection to the broker was lost")
    try:
        info.wait_for_publish(max(0.0, end_s - time.monotonic()))
        taken = info.is_published()
    except (RuntimeError, ValueError):
        taken = False
    if not taken:
        raise SendFailed("the broker did not take the message in time")
