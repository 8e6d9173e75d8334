"""Where alerts are sent to: `alerts.channels` and `alerts.delivery` of the configuration.

Secrets are `SecretStr`; ${NAME} in them is taken from the environment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from pipeline.errors import UsageInvalid
from streams.config import Section
from streams.environment import fill_in

_USER_PART = re.compile(r"(?<=://)[^/?#]*(?=@)")
_TOPIC = r"^[^+#/\s\x00]+(/[^+#/\s\x00]+)*$"
_MAILBOX = r"^[^@\s<>,;:\"\\\x00-\x1f]+@[A-Za-z0-9.-]+$"


def _expanded(secret: SecretStr) -> SecretStr:
    return SecretStr(fill_in(secret.get_secret_value()))


def _expanded_url(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    user = _USER_PART.search(url)
    return SecretStr(fill_in(url, quoted=(0, 0) if user is None else user.span()))


Secret = Annotated[SecretStr, AfterValidator(_expanded)]
SecretUrl = Annotated[SecretStr, AfterValidator(_expanded_url)]
Mailbox = Annotated[str, Field(pattern=_MAILBOX, max_length=254)]


class _Channel(Section):
    """What every channel has."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]{1,64}$",
            description="Unique name, 1 to 64 letters, digits, _ or -; rules send to it.",
        ),
    ]
    timeout_s: Annotated[
        float, Field(gt=0, le=120, description="Seconds that one try may take, at most.")
    ] = 20.0
    heartbeat_s: Annotated[
        float | None,
        Field(
            ge=0,
            description="Seconds between messages that prove that this channel delivers; 0: none. "
            "Default: alerts.heartbeat_s.",
        ),
    ] = None
    picture: Annotated[bool, Field(description="Whether pictures are sent along.")] = True


class WebhookConfig(_Channel):
    """POST of a JSON document, signed as in Standard Webhooks."""

    kind: Literal["webhook"] = Field(description="A signed HTTP request.")
    url: Annotated[SecretUrl, Field(description="https:// or http:// address that is posted to.")]
    secret: Annotated[
        Secret,
        Field(
            description="Key of the HMAC-SHA256 signature: 16 characters or more, or whsec_ and "
            "base64. ${NAME} is taken from the environment."
        ),
    ]
    authorization: Annotated[
        Secret | None,
        Field(description="Authorization header, such as 'Bearer ${TOKEN}'. Default: none."),
    ] = None
    allow_private: Annotated[
        bool,
        Field(
            description="Whether the address may be on this machine or its private network. "
            "Link-local and metadata addresses stay refused."
        ),
    ] = False
    ca_file: Annotated[
        Path | None,
        Field(description="PEM file of authorities to trust instead of the system's."),
    ] = None

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        address = self.url.get_secret_value()
        try:
            parts = urlsplit(address)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise ValueError("url: host and port cannot be read; write https://host/path") from None
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError("url: expected https://host/path or http://host/path")
        if parts.username is not None:
            raise ValueError("url: user and password do not belong here; use `authorization`")
        if not address.isascii() or any(sign <= " " for sign in address):
            raise ValueError("url: holds a space or a sign that must be percent-encoded")
        if len(self.secret.get_secret_value()) < 16:
            raise ValueError("secret: expected at least 16 characters")
        authorization = self.authorization and self.authorization.get_secret_value()
        if authorization and (not authorization.isascii() or not authorization.isprintable()):
            raise ValueError("authorization: holds a line break or a sign that is not ASCII")
        return self


class MqttConfig(_Channel):
    """A broker, with Home Assistant's discovery."""

    kind: Literal["mqtt"] = Field(description="An MQTT broker.")
    host: Annotated[str, Field(min_length=1, description="Name or address of the broker.")]
    port: Annotated[
        int | None,
        Field(ge=1, le=65535, description="TCP port. Default: 8883 with TLS, 1883 without."),
    ] = None
    tls: Annotated[bool, Field(description="Whether the connection is encrypted.")] = True
    ca_file: Annotated[
        Path | None,
        Field(description="PEM file of authorities to trust instead of the system's."),
    ] = None
    user: Annotated[str | None, Field(description="Name to log in with. Default: none.")] = None
    password: Annotated[
        Secret | None,
        Field(description="Its password. ${NAME} is taken from the environment."),
    ] = None
    topic: Annotated[
        str,
        Field(
            pattern=_TOPIC,
            max_length=200,
            description="First part of all topics; sites that share a broker need one each.",
        ),
    ] = "noctule"
    discovery: Annotated[
        str | None,
        Field(
            pattern=_TOPIC,
            description="Home Assistant's discovery prefix; null: nothing is announced.",
        ),
    ] = "homeassistant"

    @property
    def tcp_port(self) -> int:
        """The port, or the usual one."""
        return self.port or (8883 if self.tls else 1883)

    @model_validator(mode="after")
    def _has_user(self) -> Self:
        if self.password is not None and not self.user:
            raise ValueError("password: needs a `user`, too")
        return self


class EmailConfig(_Channel):
    """Mail with the picture attached."""

    kind: Literal["email"] = Field(description="A mail server (SMTP).")
    host: Annotated[str, Field(min_length=1, description="Name or address of the mail server.")]
    port: Annotated[
        int | None,
        Field(
            ge=1,
            le=65535,
            description="TCP port. Default: 587 with starttls, 465 with tls, 25 with none.",
        ),
    ] = None
    security: Annotated[
        Literal["starttls", "tls", "none"],
        Field(description="How the connection is encrypted; none sends no password."),
    ] = "starttls"
    ca_file: Annotated[
        Path | None,
        Field(description="PEM file of authorities to trust instead of the system's."),
    ] = None
    user: Annotated[str | None, Field(description="Name to log in with. Default: none.")] = None
    password: Annotated[
        Secret | None,
        Field(description="Its password. ${NAME} is taken from the environment."),
    ] = None
    sender: Annotated[Mailbox, Field(description="Address that the mail comes from.")]
    to: Annotated[
        tuple[Mailbox, ...], Field(min_length=1, description="Addresses that it goes to.")
    ]

    @property
    def tcp_port(self) -> int:
        """The port, or the usual one."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Self:
        if self.password is not None and not self.user:
            raise ValueError("password: needs a `user`, too")
        if self.password is not None and self.security == "none":
            raise ValueError("password: is not sent unencrypted; set security to starttls or tls")
        return self


class AppriseConfig(_Channel):
    """One of the services that apprise knows."""

    kind: Literal["apprise"] = Field(description="A service that apprise knows.")
    url: Annotated[
        SecretUrl,
        Field(
            description="apprise's address of the service, such as 'tgram://${BOT_TOKEN}/42'. "
            "${NAME} is taken from the environment, percent-encoded inside user:password@."
        ),
    ]
    allow_private: Annotated[
        bool,
        Field(
            description="Whether the address may be on this machine or its private network. "
            "Link-local and metadata addresses stay refused."
        ),
    ] = False


ChannelConfig = Annotated[
    WebhookConfig | MqttConfig | EmailConfig | AppriseConfig, Field(discriminator="kind")
]


class DeliveryConfig(Section):
    """How patiently alerts are delivered."""

    tries: Annotated[
        int,
        Field(ge=1, le=100, description="Tries of one message before it is a dead letter."),
    ] = 20
    first_pause_s: Annotated[
        float, Field(gt=0, description="Seconds after the first failed try; then twice as many.")
    ] = 2.0
    longest_pause_s: Annotated[
        float, Field(gt=0, description="Seconds between two tries of one message, at most.")
    ] = 600.0
    failing_after_s: Annotated[
        float,
        Field(
            ge=0,
            description="Seconds of failed tries after which a channel is an alert itself.",
        ),
    ] = 120.0


def refuse_same_names(channels: tuple[ChannelConfig, ...]) -> None:
    """Check that every channel has a name of its own.

    Raises:
        ValueError: With the name that stands twice.
    """
    names = [channel.name for channel in channels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"channels: the name {twice[0]!r} is used twice; names must differ")


def channel_called(channels: tuple[ChannelConfig, ...], name: str) -> ChannelConfig:
    """The channel of this name.

    Raises:
        UsageInvalid: There is none; the message names those there are.
    """
    for channel in channels:
        if channel.name == name:
            return channel
    names = ", ".join(channel.name for channel in channels) or "none"
    raise UsageInvalid(f"no channel is called {name[:64]!r}; alerts.channels has: {names}")


def from_folder(channels: tuple[ChannelConfig, ...], folder: Path) -> tuple[ChannelConfig, ...]:
    """The same channels with relative paths starting at `folder`."""
    return tuple(
        channel
        if isinstance(channel, AppriseConfig) or channel.ca_file is None
        else channel.model_copy(update={"ca_file": folder / channel.ca_file.expanduser()})
        for channel in channels
    )
