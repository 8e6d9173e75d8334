"""`python -m simulator.cropping --out crops --identities 500 --seed 11 --jobs 2`."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from simulator.cropping.crops import write_crops
from streams.errors import NoctuleError

logger = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when everything is written, 1 when refused, 2 on wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.cropping",
        description="Render crops to train re-identification; goes on where it was interrupted.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--identities", type=int, default=500, help="how many people")
    parser.add_argument("--first", type=int, default=1, help="number of the first identity")
    parser.add_argument("--visible", type=int, default=8, help="visible crops per identity")
    parser.add_argument("--infrared", type=int, default=12, help="infrared crops per identity")
    parser.add_argument("--thermal", type=int, default=0, help="thermal crops per identity")
    parser.add_argument("--cameras", type=int, default=4, help="cameras per band")
    parser.add_argument("--size", default="256x128", help="height x width of a crop, pixels")
    parser.add_argument("--seed", type=int, default=11, help="another seed, other people")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the work")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    height, width = (int(side) for side in options.size.split("x"))
    started_s = time.monotonic()

    def report(n_done: int, n_all: int) -> None:
        if n_done % 20 == 0 or n_done == n_all:
            logger.info("%d of %d, %.0f s", n_done, n_all, time.monotonic() - started_s)

    try:
        write_crops(
            options.out,
            identities=range(options.first, options.first + options.identities),
            seed=options.seed,
            visible=options.visible,
            infrared=options.infrared,
            thermal=options.thermal,
            cameras=options.cameras,
            size_hw=(height, width),
            jobs=options.jobs,
            report=report,
        )
    except NoctuleError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
