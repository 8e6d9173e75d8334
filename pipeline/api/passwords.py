"""Passwords: kept as argon2id only, compared in the same time whether there is such an account."""

from __future__ import annotations

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipeline.api.errors import QuestionInvalid
from pipeline.api.turns import Turns

SHORTEST, LONGEST = 12, 200
"""Characters of a password; NIST SP 800-63B asks for 8 at least, and no rules on kinds of them."""
_AT_ONCE = 2
"""Comparisons at a time: each takes 64 MiB."""
_WAITING, _WAIT_S = 10, 10.0


class Passwords:
    """Hashes and compares; threads may share it.

    Args:
        hasher: Its cost; default: argon2-cffi's, the second choice of RFC 9106.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = Turns(
            at_once=_AT_ONCE,
            waiting=_WAITING,
            wait_s=_WAIT_S,
            words="too many log in at once; try again in a moment",
        )
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """What the database keeps.

        Raises:
            Busy: Too many log in at once.
        """
        with self._turns.take():
            return self._hasher.hash(_normal(password))

    def is_right(self, password: str, kept: str | None) -> bool:
        """Whether the password is the kept one; None, where there is no account, takes as long.

        Raises:
            Busy: Too many log in at once.
        """
        with self._turns.take():
            try:
                return self._hasher.verify(kept or self._nobodys, _normal(password)) and bool(kept)
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made at another cost than is made now."""
        return self._hasher.check_needs_rehash(kept)


def one_time_password() -> str:
    """A new one, easy to type: 100 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def refuse_weak(password: str, *, name: str) -> None:
    """Refuse a new password that is too easily found.

    Raises:
        QuestionInvalid: It is too short, too long, the account's name, or of very few letters.
    """
    normal = _normal(password)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise QuestionInvalid(
            f"password: expected {SHORTEST} to {LONGEST} characters, got {len(normal)}; a few "
            "words will do"
        )
    if normal.casefold().startswith(name.casefold()) or len(set(normal)) < 5:
        raise QuestionInvalid(
            "password: it is too easily guessed; take a few words that are not the name"
        )


def _normal(password: str) -> str:
    """The same letters, however a keyboard writes them."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
