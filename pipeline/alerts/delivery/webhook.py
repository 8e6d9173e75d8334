"""A signed POST of JSON, as Standard Webhooks describes it (standardwebhooks.com, 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ssl
from http.client import responses

import httpcore

from pipeline.alerts.channels_config import WebhookConfig
from pipeline.alerts.delivery.destination import CheckedNetwork
from pipeline.alerts.delivery.message import Parcel
from pipeline.errors import SendFailed, SendRefused
from streams.clock import Clock

PREFIX = "whsec_"
POISON = {400, 413, 415, 422}
"""The receiver does not like this very message: it would not like it later, either."""
LONGEST_PAUSE_S = 3600.0
TROUBLE = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
)


def signature(secret: str, *, key: str, timestamp: int, body: bytes) -> str:
    """Value of `webhook-signature`: HMAC-SHA256 over `key.timestamp.body`, in base64.

    Args:
        secret: `whsec_` and base64 of the HMAC's key, or any other words, taken as UTF-8.
        timestamp: Unix seconds of this try.

    >>> signature("0123456789abcdef", key="k", timestamp=1, body=b"{}")
    'v1,uw7xhv84IQeaP4ilO1pBBAONwDyfOQMlxXDakebR/AQ='
    """
    hmac_key = secret.encode()
    if secret.startswith(PREFIX):
        try:
            hmac_key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise SendRefused("the secret begins with whsec_, but is not base64") from None
    signed = f"{key}.{timestamp}.".encode() + body
    digest = hmac.new(hmac_key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


class Webhook:
    """Sends to one address. No redirect is followed, and nothing of an answer's body is kept."""

    def __init__(self, config: WebhookConfig, *, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._tls = ssl.create_default_context(cafile=config.ca_file)

    def send(self, parcel: Parcel, *, limit_s: float) -> str:
        """Post it; the answer in words.

        Raises:
            SendFailed: Not accepted; another try may be.
            SendRefused: The receiver does not like this message.
        """
        body = parcel.to_json(picture=_picture(parcel))
        network = CheckedNetwork(allow_private=self._config.allow_private, limit_s=limit_s)
        url = self._config.url.get_secret_value().partition("#")[0]
        headers = list(self._headers(parcel, body).items())
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=network) as pool,
                pool.stream("POST", url, headers=headers, content=body) as told,
            ):
                return _judge(told)
        except TROUBLE as error:
            raise SendFailed(_trouble(error)) from None

    def greet(self, *, limit_s: float) -> None:
        """Nobody shows whether we are there."""

    def close(self) -> None:
        """Nothing stays open between two messages."""

    def _headers(self, parcel: Parcel, body: bytes) -> dict[str, str]:
        timestamp = self._clock.now_us() // 1_000_000
        secret = self._config.secret.get_secret_value()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "user-agent": "noctule",
            "idempotency-key": parcel.key,
            "webhook-id": parcel.key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, key=parcel.key, timestamp=timestamp, body=body),
        }
        if self._config.authorization is not None:
            headers["authorization"] = self._config.authorization.get_secret_value()
        return headers


def _picture(parcel: Parcel) -> dict[str, str] | None:
    if parcel.picture is None or parcel.picture_sha256 is None:
        return None
    return {
        "type": "image/jpeg",
        "sha256": parcel.picture_sha256,
        "base64": base64.b64encode(parcel.picture).decode(),
    }


def _judge(told: httpcore.Response) -> str:
    status = told.status
    words = f"HTTP {status} {responses.get(status, '')}".rstrip()
    if 200 <= status < 300:
        return words
    if 300 <= status < 400:
        raise SendFailed(f"{words}: redirects are not followed; write the final address as url")
    if status in POISON:
        raise SendRefused(f"{words}: the receiver does not take this message")
    raise SendFailed(words, retry_after_s=_retry_after_s(told))


def _retry_after_s(told: httpcore.Response) -> float | None:
    for name, value in told.headers:
        if name.lower() == b"retry-after" and value.isdigit():
            return min(float(value), LONGEST_PAUSE_S)
    return None


def _trouble(error: Exception) -> str:
    """What went wrong on the way, from the kind of error alone."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the receiver's certificate is not trusted ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.TimeoutException):
        return "the receiver did not answer in time"
    if isinstance(error, httpcore.ConnectError):
        return "the receiver cannot be reached"
    return f"the connection broke ({type(error).__name__})"
