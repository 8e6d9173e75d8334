"""Which cameras answer in this network: WS-Discovery for ONVIF devices.

One UDP question to the group 239.255.255.250, port 3702; each device answers for itself (OASIS
WS-Discovery 1.1, section 2.4; ONVIF Core Specification 21.06, section 7.3). Answers come from
anybody: they are read as data of limited size, without entities, and nothing is fetched.
"""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree

from streams.clock import Clock, SystemClock

GROUP = ("239.255.255.250", 3702)
_LARGEST, _MOST = 20_000, 256
_D = "{http://schemas.xmlsoap.org/ws/2005/04/discovery}"
_NAME = re.compile(r"onvif://www\.onvif\.org/(?:name|hardware)/(\S{1,80})")
_HOST = re.compile(r"^https?://(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]{1,253})(?::\d+)?/")
_QUESTION = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:n="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
    "<w:MessageID>uuid:{number}</w:MessageID>"
    "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
    "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"
    "<e:Body><d:Probe><d:Types>n:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device that answered.

    Attributes:
        address: Host name or number.
        name: As the device calls itself; None: it does not say.
    """

    address: str
    name: str | None


def discover(
    *, wait_s: float = 2.0, group: tuple[str, int] = GROUP, clock: Clock | None = None
) -> list[Found]:
    """Devices that answer within `wait_s`, by address; [] where there is no network."""
    used = SystemClock() if clock is None else clock
    until_s = used.monotonic_s() + wait_s
    answers: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        try:
            asking.sendto(_QUESTION.format(number=uuid.uuid4()).encode(), group)
        except OSError:
            return []
        while len(answers) < _MOST and (left_s := until_s - used.monotonic_s()) > 0:
            asking.settimeout(left_s)
            try:
                answers.append(asking.recv(_LARGEST))
            except OSError:
                break
    return read_answers(answers)


def read_answers(answers: Iterable[bytes]) -> list[Found]:
    """Devices that answers speak of, each once; what is no answer is left out."""
    found: dict[str, Found] = {}
    for answer in answers:
        if b"<!" in answer:  # no document type, so no entities
            continue
        try:
            root = ElementTree.fromstring(answer)
        except ElementTree.ParseError:
            continue
        for match in root.iter(f"{_D}ProbeMatch"):
            host = _HOST.match((match.findtext(f"{_D}XAddrs") or "").split(" ")[0])
            name = _NAME.search(match.findtext(f"{_D}Scopes") or "")
            if host is not None:
                said = None if name is None else unquote(name[1]).strip()
                found.setdefault(host[1], Found(address=host[1], name=said or None))
    return [found[address] for address in sorted(found)]
