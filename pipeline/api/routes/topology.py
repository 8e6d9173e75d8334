"""How people go from camera to camera, and how long it takes."""

from __future__ import annotations

from pydantic import Field

from pipeline.api.answers import Answer
from pipeline.api.desk import DeskOf
from pipeline.api.routing import Routes
from pipeline.api.visitors import VisitorOf
from pipeline.linking.topology import Way
from storage.desk.types import Role

routes = Routes("topology")


class WayAnswer(Answer):
    """What is known of going from one camera to another."""

    from_camera: str = Field(examples=["gate-1"])
    to_camera: str = Field(examples=["plaza"])
    n_links: int = Field(description="Transits that were surely seen.")
    n_departures: int
    share: float = Field(description="Of the departures, those that came here next, 0 to 1.")
    median_s: float | None
    p5_s: float | None = Field(description="A twentieth are quicker, seconds.")
    p95_s: float | None = Field(description="A twentieth are slower, seconds.")
    stated_s: list[float] | None = Field(description="What the installer stated.")
    n_overlapping: int
    transits_s: list[float] = Field(description="Up to 500 of them, for a histogram, seconds.")


class TopologyAnswer(Answer):
    """Ways between cameras that one may see."""

    ways: list[WayAnswer]
    arrivals_per_h: dict[str, float]


@routes.get("/topology", least=Role.VIEWER)
def show_topology(visitor: VisitorOf, desk: DeskOf) -> TopologyAnswer:
    """Ways as learned from sure links and as stated; learned anew every ten minutes at most."""
    found = desk.topology()
    return TopologyAnswer(
        ways=[
            _to_way(way)
            for way in found.ways.values()
            if visitor.sees(way.pair[0]) and visitor.sees(way.pair[1])
        ],
        arrivals_per_h={
            camera: rate for camera, rate in found.arrivals_per_h.items() if visitor.sees(camera)
        },
    )


def _to_way(way: Way) -> WayAnswer:
    step = max(1, -(-len(way.gaps_s) // 500))
    return WayAnswer(
        from_camera=way.pair[0],
        to_camera=way.pair[1],
        n_links=len(way.gaps_s),
        n_departures=way.n_departures,
        share=way.share,
        median_s=way.quantile_s(0.5),
        p5_s=way.quantile_s(0.05),
        p95_s=way.quantile_s(0.95),
        stated_s=None if way.stated_s is None else list(way.stated_s),
        n_overlapping=way.n_overlapping,
        transits_s=[float(gap_s) for gap_s in way.gaps_s[::step]],
    )
