"""Cameras that answer in this network are listed; what else answers is left out."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from streams.clock import SystemClock
from streams.discovery import Discovered, discover, read_answers
from tests.processes import PATIENCE_S

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
    "<s:Header><a:RelatesTo>{relates}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>"
    "<d:ProbeMatch><d:Scopes>onvif://www.onvif.org/type/video onvif://www.onvif.org/name/{name} "
    "onvif://www.onvif.org/hardware/X7</d:Scopes><d:XAddrs>{services}</d:XAddrs></d:ProbeMatch>"
    "</d:ProbeMatches></s:Body></s:Envelope>"
)


def answer(
    relates: str, *, name: str = "Yard%20east", services: str = "http://192.0.2.9:8000/onvif"
) -> bytes:
    return _ENVELOPE.format(relates=relates, name=name, services=services).encode()


@contextmanager
def device(
    reply: Callable[[str], list[bytes]], has_answered: threading.Event | None = None
) -> Iterator[tuple[str, int]]:
    """Something on the network that is asked; yields its address."""
    has_answered = has_answered or threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))

        def serve() -> None:
            question, asker = listening.recvfrom(5000)
            number = re.search(rb"<w:MessageID>(.*)</w:MessageID>", question)
            assert number is not None
            assert b"NetworkVideoTransmitter" in question
            for each in reply(number[1].decode()):
                listening.sendto(each, asker)
            has_answered.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()
        thread.join(PATIENCE_S)


class Patient(SystemClock):
    """A clock that begins to go when something has happened."""

    def __init__(self, has_happened: threading.Event) -> None:
        self._has_happened = has_happened
        self._start_s: float | None = None

    def monotonic_s(self) -> float:
        if self._start_s is None and self._has_happened.is_set():
            self._start_s = super().monotonic_s()
        return 0.0 if self._start_s is None else super().monotonic_s() - self._start_s


def test_a_camera_that_answers_is_found_once_with_its_name_and_model() -> None:
    def reply(number: str) -> list[bytes]:
        return [b"noise", answer(number), answer(number), answer("urn:uuid:another-question")]

    has_answered = threading.Event()
    with device(reply, has_answered) as address:
        found = discover(wait_s=0.3, group=address, clock=Patient(has_answered))

    assert found == [Discovered(address="192.0.2.9", name="Yard east", model="X7")]


def test_where_nobody_answers_nothing_is_found() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = nobody.getsockname()

    assert discover(wait_s=0.7, group=address) == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'<!DOCTYPE a [<!ENTITY b "c">]>' + answer("n").split(b"?>")[1], id="entity"),
        pytest.param(
            answer("n").replace(b"?>", b'?><!DOCTYPE a SYSTEM "file:///etc/passwd">'), id="file"
        ),
        pytest.param(
            ('<!DOCTYPE a [<!ENTITY b "c">]>' + answer("n").decode().split("?>")[1]).encode(
                "utf-16"
            ),
            id="another encoding",
        ),
        pytest.param(b"<unfinished", id="torn"),
        pytest.param(b"\x00\xff", id="bytes"),
        pytest.param(b"<a/>", id="another document"),
    ],
)
def test_what_is_no_answer_is_left_out(content: bytes) -> None:
    assert read_answers([(content, "192.0.2.1")], number="n") == []


@pytest.mark.parametrize(
    ("services", "address"),
    [
        pytest.param("javascript:x http://a<b/", "192.0.2.1", id="no address"),
        pytest.param("http://[fe80::1]/x http://192.0.2.1/x", "192.0.2.1", id="several"),
        pytest.param("http://[fe80::1]/x", "fe80::1", id="version 6"),
        pytest.param("", "192.0.2.1", id="none"),
    ],
)
def test_the_address_is_the_one_that_answers_where_several_are_named(
    services: str, address: str
) -> None:
    content = answer("n", services=services.replace("<", "&lt;"))

    (found,) = read_answers([(content, "192.0.2.1")], number="n")

    assert found.address == address


def test_names_hold_nothing_that_steers_terminals() -> None:
    (found,) = read_answers(
        [(answer("n", name="a%1B%5B31m%E2%80%AEb" + "c" * 90), "x")], number="n"
    )

    assert found.name == "a[31mb" + "c" * 58
