"""Which cameras answer in this network: WS-Discovery for ONVIF devices.

One UDP question to the group 239.255.255.250, port 3702, on each interface; each device answers for
itself (OASIS WS-Discovery, April 2005, section 5; ONVIF Core Specification 21.06, section 7.3).
Answers come from anybody: they are read as data of limited size, without document types and
entities, and nothing that they name is fetched.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from streams.clock import Clock, SystemClock

GROUP = ("239.255.255.250", 3702)
WAIT_S = 3.0
_AGAIN_S = 0.5
"""UDP may lose a question: it is asked twice."""
_LARGEST, _MOST = 65_507, 256
_LONGEST_NAME = 64
_D = "{http://schemas.xmlsoap.org/ws/2005/04/discovery}"
_A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
_SCOPE = re.compile(r"onvif://www\.onvif\.org/(name|hardware)/(\S+)", re.IGNORECASE)
_QUESTION = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:n="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
    "<w:MessageID>urn:uuid:{number}</w:MessageID>"
    "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
    "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>"
    "<e:Body><d:Probe><d:Types>n:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """A device that answered.

    Attributes:
        address: Host name or number; where the device names several, the one it answered from.
        name: As the device calls itself; None: it does not say.
        model: What it is; None: it does not say.
    """

    address: str
    name: str | None
    model: str | None


def discover(
    *,
    wait_s: float = WAIT_S,
    group: tuple[str, int] | None = None,
    clock: Clock | None = None,
) -> list[Discovered]:
    """Devices that answer within `wait_s`, by address; [] where nobody does.

    Args:
        group: Where to ask instead of `GROUP`.
    """
    used = SystemClock() if clock is None else clock
    number = str(uuid.uuid4())
    question = _QUESTION.format(number=number).encode()
    start_s = used.monotonic_s()
    asked, answers = 0, list[tuple[bytes, str]]()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        while len(answers) < _MOST and (passed_s := used.monotonic_s() - start_s) < wait_s:
            if asked == 0 or (asked == 1 and passed_s >= _AGAIN_S):
                _ask(asking, question, group or GROUP)
                asked += 1
            until_s = wait_s if asked > 1 else min(wait_s, _AGAIN_S)
            asking.settimeout(max(until_s - passed_s, 0.001))
            with contextlib.suppress(OSError):  # nothing came, or a host said that nobody listens
                content, (sender, *_) = asking.recvfrom(_LARGEST)
                answers.append((content, str(sender)))
    return read_answers(answers, number=number)


def _ask(asking: socket.socket, question: bytes, group: tuple[str, int]) -> None:
    """Send the question, to a group of hosts on every interface."""
    if not ip_address(group[0]).is_multicast:
        asking.sendto(question, group)
        return
    for index, _ in socket.if_nameindex():
        with contextlib.suppress(OSError):  # this interface is down, or knows no groups
            place = struct.pack("=4s4si", bytes(4), bytes(4), index)  # struct ip_mreqn
            asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, place)
            asking.sendto(question, group)


def read_answers(answers: Iterable[tuple[bytes, str]], *, number: str) -> list[Discovered]:
    """Devices that answers speak of, each once; what is no answer to us is left out.

    Args:
        answers: What came, and from which address.
        number: Of our question.
    """
    found: dict[str, Discovered] = {}
    for content, sender in answers:
        root = _parse(content)
        if root is None or number not in (root.findtext(f".//{_A}RelatesTo") or ""):
            continue
        for match in root.iter(f"{_D}ProbeMatch"):
            device = _to_device(match, sender)
            found.setdefault(device.address, device)
    return [found[address] for address in sorted(found)]


def _parse(content: bytes) -> ElementTree.Element | None:
    """The document; None: it is none, or declares what could blow up."""
    try:
        text = content.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            return None
        return ElementTree.fromstring(text)  # a str: no other encoding can hide a declaration
    except (UnicodeDecodeError, ElementTree.ParseError, ValueError):
        return None


def _to_device(match: ElementTree.Element, sender: str) -> Discovered:
    hosts = [_host(service) for service in (match.findtext(f"{_D}XAddrs") or "").split()]
    named = [host for host in hosts if host is not None]
    scopes: dict[str, str] = {}
    for kind, value in _SCOPE.findall(match.findtext(f"{_D}Scopes") or ""):
        scopes.setdefault(kind.lower(), value)
    return Discovered(
        address=named[0] if named and sender not in named else sender,
        name=_words(scopes.get("name")),
        model=_words(scopes.get("hardware")),
    )


def _host(service: str) -> str | None:
    """The host in the address of a service, if it is one.

    >>> _host("http://192.0.2.7:8080/onvif/device_service"), _host("http://"), _host("http://a b/")
    ('192.0.2.7', None, None)
    """
    try:
        parts = urlsplit(service)
        host = parts.hostname
    except ValueError:
        return None
    is_plain = host is not None and re.fullmatch(r"[0-9A-Za-z.:-]{1,253}", host)
    return host if is_plain and parts.scheme in ("http", "https") else None


def _words(value: str | None) -> str | None:
    """A name as it may be shown.

    >>> _words("Yard%20camera%0A"), _words(None), _words("%20")
    ('Yard camera', None, None)
    """
    if value is None:
        return None
    letters = unquote(value, errors="replace")
    kept = "".join(each for each in letters if unicodedata.category(each)[0] != "C")
    return kept.strip()[:_LONGEST_NAME] or None
