"""Who walks where and when in the demo: six people, a minute before each of four cameras."""

from __future__ import annotations

from simulator.world.walks import Point, Walk


def _walk(identity: int, starts_at_s: float, *waypoints: Point) -> Walk:
    return Walk(identity=identity, starts_at_s=starts_at_s, waypoints=waypoints)


def _back(waypoints: tuple[Point, ...]) -> tuple[Point, ...]:
    return waypoints[::-1]


_GATE_FAR = ((-6.4, 8.4), (0.0, 8.0), (6.2, 8.2))
_GATE_NEAR = ((-4.8, 5.9), (0.0, 6.2), (4.8, 5.7))
_GATE_THROUGH = ((5.2, 16.4), (1.4, 15.6), (0.1, 13.4), (-1.0, 9.6), (-4.4, 5.0))
_GATE = (
    _walk(1, -1.5, *_GATE_NEAR),
    _walk(2, 4.0, *_GATE_THROUGH),
    _walk(5, 12.0, *_GATE_FAR),
    _walk(3, 24.0, *_back(_GATE_FAR)),
    _walk(4, 25.5, *_GATE_NEAR),
    _walk(6, 35.0, *_GATE_THROUGH),
    _walk(1, 43.5, *_back(_GATE_FAR)),
    _walk(2, 46.0, *_back(_GATE_NEAR)),
    _walk(5, 48.0, *_back(_GATE_FAR)),
)

_PLAZA_FAR = ((-6.6, 8.6), (0.0, 8.0), (6.6, 8.8))
_PLAZA_MIDDLE = ((6.4, 7.2), (0.0, 6.8), (-6.4, 7.2))
_PLAZA_NEAR = ((5.2, 6.0), (0.0, 6.3), (-5.2, 5.8))
_PLAZA_SLANT = ((9.4, 12.6), (3.6, 9.8), (-0.4, 7.4), (-4.8, 5.2))
_PLAZA = (
    _walk(3, -1.0, *_PLAZA_NEAR),
    _walk(4, 4.5, *_PLAZA_SLANT),
    _walk(6, 11.0, *_PLAZA_FAR),
    _walk(1, 20.0, *_PLAZA_SLANT),
    _walk(2, 24.5, *_PLAZA_FAR),
    _walk(5, 33.5, *_PLAZA_MIDDLE),
    _walk(3, 45.0, *_back(_PLAZA_NEAR)),
    _walk(4, 47.0, *_back(_PLAZA_FAR)),
)

_DOCK_FAR = ((-6.2, 8.0), (0.0, 7.8), (6.2, 8.2))
_DOCK_NEAR = ((-4.8, 5.8), (0.0, 6.1), (4.8, 5.8))
_DOCK_SLANT = ((6.8, 8.6), (2.0, 9.4), (-2.4, 7.2), (-4.6, 4.8))
_DOCK = (
    _walk(3, -1.0, *_DOCK_NEAR),
    _walk(1, 4.5, *_DOCK_SLANT),
    _walk(4, 11.0, *_back(_DOCK_NEAR)),
    _walk(5, 22.0, *_DOCK_FAR),
    _walk(6, 24.0, *_back(_DOCK_NEAR)),
    _walk(2, 34.5, *_DOCK_SLANT),
    _walk(3, 43.0, *_DOCK_FAR),
    _walk(1, 48.0, *_back(_DOCK_NEAR)),
)

_FROM_LEFT = ((-5.4, 10.2), (-2.4, 9.9), (-0.8, 8.2), (-0.7, 4.6), (-0.8, 0.6))
_FROM_RIGHT = ((5.4, 10.5), (2.4, 10.2), (0.8, 8.4), (0.7, 4.6), (0.8, 0.6))
_CROSSING = ((5.4, 11.1), (0.0, 11.0), (-5.4, 11.1))
_CORRIDOR = (
    _walk(5, -1.5, *_FROM_LEFT),
    _walk(6, 3.0, *_back(_FROM_RIGHT)),
    _walk(2, 13.5, *_FROM_RIGHT),
    _walk(3, 22.0, *_back(_FROM_LEFT)),
    _walk(1, 27.0, *_FROM_RIGHT),
    _walk(4, 33.0, *_FROM_RIGHT),
    _walk(5, 43.5, *_back(_FROM_RIGHT)),
    _walk(2, 51.5, *_FROM_LEFT),
    _walk(6, 45.0, *_CROSSING),
)

DEMO_WALKS = {"gate": _GATE, "plaza": _PLAZA, "dock": _DOCK, "corridor": _CORRIDOR}
