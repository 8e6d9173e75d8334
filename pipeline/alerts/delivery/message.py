"""What is told, the same to every channel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from storage.desk.types import AlertSeverity, Purpose
from streams.moments import iso_time

LONGEST_SUBJECT = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that happened, in words and in fields.

    Attributes:
        sentence: For people; complete by itself.
        rule, kind: None where no rule raised it (tests, heartbeats).
        began_us, ended_us: Microseconds UTC; ended is None while it lasts.
        person: Such as P-0007, or None.
        probability: That it is this person, in [0, 1], or None.
    """

    purpose: Purpose
    site: str
    sentence: str
    severity: AlertSeverity
    began_us: int
    ended_us: int | None = None
    rule: str | None = None
    kind: str | None = None
    cameras: tuple[str, ...] = ()
    person: str | None = None
    probability: float | None = None

    def to_payload(self) -> dict[str, object]:
        """What an outbox row keeps; `from_payload` reads it back."""
        return {
            "purpose": self.purpose.value,
            "site": self.site,
            "sentence": self.sentence,
            "severity": self.severity.value,
            "began_us": self.began_us,
            "ended_us": self.ended_us,
            "rule": self.rule,
            "kind": self.kind,
            "cameras": list(self.cameras),
            "person": self.person,
            "probability": self.probability,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Message:
        """The message that `to_payload` wrote; what was erased since is left out.

        Raises:
            ValueError: It is no payload of a message.
        """
        try:
            ended, probability = payload.get("ended_us"), payload.get("probability")
            cameras = payload.get("cameras") or []
            if not isinstance(cameras, list):
                raise TypeError(cameras)
            return cls(
                purpose=Purpose(str(payload["purpose"])),
                site=str(payload.get("site") or ""),
                sentence=str(payload.get("sentence") or "(erased)"),
                severity=AlertSeverity(str(payload.get("severity") or "warning")),
                began_us=int(str(payload["began_us"])),
                ended_us=None if ended is None else int(str(ended)),
                rule=_words(payload.get("rule")),
                kind=_words(payload.get("kind")),
                cameras=tuple(map(str, cameras)),
                person=_words(payload.get("person")),
                probability=None if probability is None else float(str(probability)),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise ValueError("the outbox row holds no message") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message on its way to one channel.

    Attributes:
        key: Idempotency key: 32 hex digits, the same at every try.
        at_us: When it was put into the outbox, microseconds UTC.
        alert: Number of the alert, or None.
        url: Page of the alert, or None.
        picture: JPEG, or None.
    """

    key: str
    at_us: int
    message: Message
    alert: int | None = None
    url: str | None = None
    picture: bytes | None = None

    @property
    def picture_sha256(self) -> str | None:
        """Hex, or None without a picture."""
        return None if self.picture is None else hashlib.sha256(self.picture).hexdigest()

    def to_fields(self) -> dict[str, object]:
        """What machines are told, times as ISO 8601 UTC; without the picture itself."""
        message = self.message
        return {
            "key": self.key,
            "purpose": message.purpose.value,
            "event_type": message.purpose.value,  # as Home Assistant's events call it
            "site": message.site,
            "queued": iso_time(self.at_us),
            "alert": self.alert,
            "url": self.url,
            "rule": message.rule,
            "kind": message.kind,
            "severity": message.severity.value,
            "sentence": message.sentence,
            "began": iso_time(message.began_us),
            "ended": None if message.ended_us is None else iso_time(message.ended_us),
            "cameras": list(message.cameras),
            "person": message.person,
            "probability": message.probability,
        }

    def to_json(self, **more: object) -> bytes:
        """`to_fields` and `more` as UTF-8 JSON; the same bytes at every try."""
        fields = {**self.to_fields(), **more}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    def subject(self) -> str:
        """One line for people, without signs that would end or steer it."""
        mark = "" if self.message.purpose is Purpose.ALERT else f"{self.message.purpose}: "
        line = " ".join(f"[{self.message.site}] {mark}{self.message.sentence}".split())
        line = "".join(sign if sign.isprintable() else "?" for sign in line)
        return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1] + "…"

    def text(self) -> str:
        """Some lines for people."""
        message = self.message
        until = "" if message.ended_us is None else f" to {iso_time(message.ended_us)}"
        lines = [message.sentence, "", f"when: {iso_time(message.began_us)}{until}"]
        if message.cameras:
            lines.append(f"cameras: {', '.join(message.cameras)}")
        if message.person is not None:
            sure = "" if message.probability is None else f" ({message.probability:.0%})"
            lines.append(f"person: {message.person}{sure}")
        if message.rule is not None:
            lines.append(f"rule: {message.rule} ({message.severity})")
        if self.url is not None:
            lines.append(f"look: {self.url}")
        return "\n".join([*lines, f"key: {self.key}"])


def delivery_key(*parts: str | int) -> str:
    """32 hex digits that are the same for the same parts, and hardly ever for others.

    >>> delivery_key("door/7", "alert", "mail") == delivery_key("door/7", "alert", "mail")
    True
    >>> delivery_key("a", "b/c") == delivery_key("a/b", "c")
    False
    """
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _words(value: object) -> str | None:
    return None if value is None else str(value)
