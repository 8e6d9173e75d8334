"""noctule topology: how people go from camera to camera, and how long it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.desk import open_site
from pipeline.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, read_config
from pipeline.cli.output import percent, print_json, print_line, print_table
from pipeline.cli.topology_plot import draw
from pipeline.errors import UsageInvalid
from pipeline.linking.topology import Topology, Way, range_words, words
from pipeline.transit_times import learn_topology


def topology(
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Also draw it (.svg, for any browser and for print)."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show how people go from camera to camera, as learned from sure links and as stated.

    Example: noctule topology --plot topology.svg
    """
    if plot is not None and plot.suffix.lower() != ".svg":
        raise UsageInvalid(f"--plot {plot}: expected a name that ends with .svg")
    site = read_config(config)
    with open_site(site) as database:
        found = learn_topology(database, site.linking)
    if plot is not None:
        _write(plot, draw(found, title=site.site))
    overlaps = found.unlisted_overlaps(site.linking.overlapping)
    if as_json:
        print_json(
            {
                "arrivals_per_h": found.arrivals_per_h,
                "ways": [_way_json(way) for way in found.ways.values()],
                "unlisted_overlaps": [list(pair) for pair in overlaps],
            }
        )
        return
    print_table(
        ("from", "to", "links", "share", "median", "5-95 %", "stated", "overlapping"),
        [_way_row(way) for way in found.ways.values()],
    )
    if not found.ways:
        print_line(
            "Nobody was surely seen going from one camera to another yet; `noctule query "
            "identities` tells who is known, and `linking.transits` can state ways."
        )
    for a, b in overlaps:
        print_line(
            f"{a} and {b} often see one person at once: if they see the same ground, add "
            f"[{a}, {b}] to linking.overlapping."
        )
    _tell_silent(found, least_links=site.linking.topology.least_links)


def _tell_silent(found: Topology, *, least_links: int) -> None:
    """Cameras whose departures are too few to say anything."""
    n_links: dict[str, int] = dict.fromkeys(found.arrivals_per_h, 0)
    for (start, _), way in found.ways.items():
        n_links[start] = n_links.get(start, 0) + len(way.gaps_s)
    few = [f"{camera} ({n})" for camera, n in n_links.items() if n < least_links]
    if few:
        print_line(
            f"Fewer than {least_links} links lead out of {', '.join(few)}: their transit times "
            "say nothing yet, except what is stated."
        )


def _way_row(way: Way) -> list[str]:
    median_s, n_links = way.quantile_s(0.5), len(way.gaps_s)
    low_s, high_s = way.quantile_s(0.05), way.quantile_s(0.95)
    return [
        *way.pair,
        str(n_links),
        percent(way.share if way.n_departures else None),
        "–" if median_s is None else words(median_s),
        "–" if low_s is None or high_s is None else range_words(low_s, high_s),
        "–" if way.stated_s is None else range_words(*way.stated_s),
        str(way.n_overlapping or "–"),
    ]


def _way_json(way: Way) -> dict[str, object]:
    return {
        "from": way.pair[0],
        "to": way.pair[1],
        "n_links": len(way.gaps_s),
        "n_departures": way.n_departures,
        "share": way.share,
        "median_s": way.quantile_s(0.5),
        "p5_s": way.quantile_s(0.05),
        "p95_s": way.quantile_s(0.95),
        "stated_s": None if way.stated_s is None else list(way.stated_s),
        "n_overlapping": way.n_overlapping,
    }


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageInvalid(f"--plot {path}: cannot be written: {error.strerror}") from error
