"""Connections that go where they may, to the address that was checked, and end in time.

A name is resolved once; the connection goes to one of the addresses that were checked, so a name
that answers differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable

import httpcore

from pipeline.errors import SendFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"),
    )
)
"""Where clouds tell a machine its own secrets: AWS, Azure, GCP; ECS; Alibaba; Oracle."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def refused_as(address: Address, *, allow_private: bool) -> str | None:
    """Why nothing may be sent to this address, or None if it may.

    >>> refused_as(ipaddress.ip_address("1.1.1.1"), allow_private=False) is None
    True
    >>> refused_as(ipaddress.ip_address("::ffff:127.0.0.1"), allow_private=False)
    'an address of this machine or of a private network'
    >>> refused_as(ipaddress.ip_address("169.254.169.254"), allow_private=True)
    'a metadata address'
    """
    address = _inner(address)
    if address in _METADATA:
        return "a metadata address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast or address.is_unspecified:
        return "no address of one machine"
    if not address.is_global and not allow_private:
        return "an address of this machine or of a private network"
    return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address


def allowed_addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Addresses of `host` that may be sent to, in the resolver's order; never empty.

    Raises:
        SendFailed: The name is unknown, or all of its addresses are refused.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SendFailed(f"the name of the host is not known ({type(error).__name__})") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    reasons = {}
    for text in addresses:
        parsed = ipaddress.ip_address(text.partition("%")[0])
        reasons[text] = refused_as(parsed, allow_private=allow_private)
    allowed = [text for text in addresses if reasons[text] is None]
    if not allowed:
        why = next(iter(reasons.values()), None) or "no address"
        hint = "; allow_private permits it" if "private" in why else ""
        raise SendFailed(f"the host is {why}: nothing is sent there{hint}")
    return allowed


class CheckedNetwork(httpcore.NetworkBackend):
    """Opens connections only to addresses that may be sent to, and ends them at a deadline.

    Args:
        limit_s: Seconds that everything together may take, from now on.
    """

    def __init__(self, *, allow_private: bool, limit_s: float) -> None:
        self._allow_private = allow_private
        self._end_s = time.monotonic() + limit_s
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of `host` that may be sent to and answers."""
        failure: Exception = httpcore.ConnectError()
        for address in allowed_addresses(host, port, allow_private=self._allow_private):
            try:
                stream = self._plain.connect_tcp(
                    address,
                    port,
                    timeout=_left_s(self._end_s, timeout),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Timed(stream, self._end_s)
        raise failure


class _Timed(httpcore.NetworkStream):
    """A connection on which no wait goes beyond a point in time."""

    def __init__(self, stream: httpcore.NetworkStream, end_s: float) -> None:
        self._stream = stream
        self._end_s = end_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left_s(self._end_s, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left_s(self._end_s, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left_s(self._end_s, timeout))
        return _Timed(stream, self._end_s)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left_s(end_s: float, timeout: float | None) -> float:
    left_s = end_s - time.monotonic()
    if left_s <= 0:
        raise httpcore.ReadTimeout
    return left_s if timeout is None else min(left_s, timeout)
