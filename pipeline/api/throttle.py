"""Who guesses passwords is slowed down: per account and address, per address, and per account.

Kept in the memory of the one process that serves, bounded; a restart forgets it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator

from pipeline.api.errors import TooOften
from streams.clock import Clock

WINDOW_S = 900.0
PER_ACCOUNT_AND_ADDRESS = 5
PER_ADDRESS = 20
PER_ACCOUNT = 100
"""From all addresses: so high that nobody locks out a colleague by guessing from elsewhere."""
_REMEMBERED = 20_000

Key = tuple[str, str, str]


class Throttle:
    """Counts failures within `WINDOW_S`; threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def refuse_guessing(self, account: str, address: str) -> None:
        """Refuse another try while there are too many failures.

        Raises:
            TooOften: With the seconds to wait; the same whether there is such an account.
        """
        now_s = self._clock.monotonic_s()
        with self._lock:
            self._refuse(account, address, now_s)

    def count_failure(self, account: str, address: str) -> None:
        """Remember that a login failed.

        Raises:
            TooOften: Of many at once, others have used up the tries: nothing may be told of it.
        """
        now_s = self._clock.monotonic_s()
        with self._lock:
            self._refuse(account, address, now_s)
            for key, most in _limits(account, address):
                failures = self._recent(key, now_s)
                failures.append(now_s)
                while len(failures) > most:
                    failures.popleft()
                self._failures[key] = failures
                self._failures.move_to_end(key)
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)

    def forgive(self, account: str, address: str) -> None:
        """Forget the failures of this account from this address: the right password came."""
        with self._lock:
            self._failures.pop(("both", account.casefold()[:64], address), None)

    def _refuse(self, account: str, address: str, now_s: float) -> None:
        for key, most in _limits(account, address):
            failures = self._recent(key, now_s)
            if len(failures) >= most:
                raise TooOften(
                    "too many failed logins; wait some minutes, or ask an administrator",
                    retry_s=failures[-most] + WINDOW_S - now_s,
                )

    def _recent(self, key: Key, now_s: float) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] <= now_s - WINDOW_S:
            failures.popleft()
        return failures


def _limits(account: str, address: str) -> Iterator[tuple[Key, int]]:
    name = account.casefold()[:64]
    yield ("both", name, address), PER_ACCOUNT_AND_ADDRESS
    yield ("address", "", address), PER_ADDRESS
    yield ("account", name, ""), PER_ACCOUNT
