"""Something that must hold for a while before anybody is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Turn(Enum):
    """What a look at the state changed."""

    BEGAN = "began"
    ENDED = "ended"


@dataclass(slots=True)
class _State:
    since_us: int
    is_told: bool = False


class Lasting:
    """Follows one state of several things; a moment without it starts anew.

    Args:
        after_us: How long it must hold.
    """

    def __init__(self, after_us: int) -> None:
        self._after_us = after_us
        self._states: dict[str, _State] = {}

    def since_us(self, thing: str) -> int | None:
        """Since when it holds; None if it does not."""
        state = self._states.get(thing)
        return None if state is None else state.since_us

    def see(
        self, thing: str, at_us: int, *, holds: bool, since_us: int | None = None
    ) -> Turn | None:
        """Whether something is to be told now; each state begins once and ends once.

        Args:
            since_us: When it began, if that was before this look.
        """
        state = self._states.get(thing)
        if not holds:
            self._states.pop(thing, None)
            return Turn.ENDED if state is not None and state.is_told else None
        if state is None:
            state = self._states[thing] = _State(at_us if since_us is None else since_us)
        if not state.is_told and at_us - state.since_us >= self._after_us:
            state.is_told = True
            return Turn.BEGAN
        return None
