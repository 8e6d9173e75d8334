"""Addresses of cameras and recordings: secrets in, secrets never out (pure but for `expand`)."""

from __future__ import annotations

import re
from urllib.parse import unquote

from streams.environment import fill_in

LIVE_SCHEMES = ("rtsp", "rtsps")
LONGEST = 2048

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")  # two letters or more: C:\ is a path
_PLAIN_OR_ENCODED = re.compile(r"^(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*$")
_HOST = re.compile(r"^(?:\[[0-9A-Fa-f:.%A-Za-z]+\]|[^\s\[\]:@/?#\\]+)(?::[0-9]{1,5})?$")
_SECRET_PAIR = re.compile(
    r"(?i)(?<![A-Za-z0-9])(pass(?:word|wd|wort)?|psw|pwd|pw|token|key|auth|secret)=([^&/?#]*)"
)


def is_live(address: str) -> bool:
    """Whether an address names a camera on the network.

    >>> is_live("RTSP://gate/1"), is_live("rtsp.mp4")
    (True, False)
    """
    return address.lower().startswith(tuple(f"{scheme}://" for scheme in LIVE_SCHEMES))


def shown(address: str) -> str:
    """The address as logs and pages may show it: without user, password or query.

    >>> shown("rtsp://me:p%40ss@gate:8554/live?token=x")
    'rtsp://gate:8554/live?...'
    >>> shown("rtsp://me:p@ss/w@gate/live")
    'rtsp://gate/live'
    >>> shown("rtsp://gate/user=me_password=p_channel=1.sdp")
    'rtsp://gate/user=me_password=...'
    >>> shown("/footage/gate.mp4")
    '/footage/gate.mp4'
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    place, question, _ = rest.rpartition("@")[2].partition("?")
    place = _SECRET_PAIR.sub(r"\1=...", place)
    return f"{scheme}://{place}" + ("?..." if question else "")


def without_secrets(text: str, address: str) -> str:
    """`text` without the address's user, password and query, in case it repeats them.

    >>> without_secrets("cannot open rtsp://me:p%40s@gate/1 with p@s", "rtsp://me:p%40s@gate/1")
    'cannot open rtsp://gate/1 with ...'
    """
    text = text.replace(address, shown(address))
    start, end = _user_part(address)
    user, _, password = address[start:end].partition(":")
    _, _, query = address.partition("?") if is_live(address) else ("", "", "")
    pairs = _SECRET_PAIR.findall(address) if is_live(address) else []
    secrets = {address[start:end], password, query, *query.split("&"), *(v for _, v in pairs)}
    if password:
        secrets.add(f"{user}:")
    for secret in sorted({*secrets, *map(unquote, secrets)}, key=len, reverse=True):
        if secret:
            text = text.replace(secret, "...")
    return text


def expand(template: str) -> str:
    """`template` with each ${NAME} taken from the environment, encoded inside `user:password@`.

    Raises:
        ValueError: A variable is not set; the message names it and never a value.
    """
    return fill_in(template, quoted=_user_part(template))


def _user_part(address: str) -> tuple[int, int]:
    """First and last + 1 index of `user:password` of a live address; (0, 0) if it has none."""
    if not is_live(address):
        return 0, 0
    start = address.index("://") + 3
    place_end = re.search(r"[/?#]", address[start:])
    end = address.rfind("@", start, start + place_end.start() if place_end else len(address))
    return (0, 0) if end < 0 else (start, end)


def refuse_unsupported(address: str) -> None:
    """Check that an expanded address is one that we read; it is never repeated in errors.

    Raises:
        ValueError: It is empty, too long, of another protocol, or its parts cannot be told apart.
    """
    if not address.strip():
        raise ValueError("source is empty; expected rtsp://..., a video file or a folder")
    if len(address) > LONGEST:
        raise ValueError(f"source has {len(address)} characters; at most {LONGEST} are read")
    if any(ord(character) < 32 for character in address):
        raise ValueError("source holds a control character (a line break?); remove it")
    if is_live(address):
        _refuse_unreadable_place(address)
        return
    scheme = _SCHEME.match(address)
    if scheme:
        raise ValueError(
            f"protocol {scheme[1]}: is not read; expected rtsp://, rtsps://, or the path of a file "
            "or folder (a path with a colon: write ./ before it)"
        )


def _refuse_unreadable_place(address: str) -> None:
    start, end = _user_part(address)
    advice = (
        "in user and password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F, % as %25, "
        "or take them from the environment with ${NAME}"
    )
    if not _PLAIN_OR_ENCODED.match(address[start:end]):
        raise ValueError(f"user or password holds a character that must be encoded: {advice}")
    rest = address[end + 1 :] if end else address.partition("://")[2]
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if not _HOST.match(place):
        raise ValueError(f"host and port of the address cannot be read: {advice}")
