"""Contact sheet of invented people, each by day in colour and by night in near infrared.

`python -m simulator.cropping.sheet --seed 7 --out docs/images/simulated-people.jpg`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from simulator.cropping.studio import open_studio
from simulator.figures.body import load_body_model
from simulator.figures.company import company
from simulator.figures.people import Person, dress
from simulator.optics.bands import Band
from simulator.optics.cameras import View
from simulator.optics.illumination import (
    Daylight,
    Illuminator,
    InfraredSensor,
    Picture,
    VisibleSensor,
)
from simulator.optics.render import Renderer
from streams.pictures import write_picture

_CELL_WH = (112, 224)
_COLUMNS = 5
_GAP_PX = 6


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 when the picture is written, 2 on wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.cropping.sheet", description="Contact sheet of invented people."
    )
    parser.add_argument("--out", type=Path, required=True, help="JPEG file to write")
    parser.add_argument("--people", type=int, default=20, help="how many")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other people")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_picture(options.out, contact_sheet(options.people, seed=options.seed), quality=88)
    return 0


def contact_sheet(n_people: int, *, seed: int) -> Picture:
    """Rows of five people, each twice: day and night."""
    model = load_body_model()
    cells = []
    with (
        open_studio(Band.VISIBLE, _CELL_WH) as by_day,
        open_studio(Band.NEAR_INFRARED, _CELL_WH) as by_night,
    ):
        for k, character in enumerate(company(n_people, seed=seed, alike=0.0)):
            person = dress(model, 1, character.looks)
            cells.append(_pair(person, by_day, by_night, np.random.default_rng([seed, k])))
    blank = np.full_like(cells[0], 255)
    cells += [blank] * (-len(cells) % _COLUMNS)
    rows = [np.hstack(cells[k : k + _COLUMNS]) for k in range(0, len(cells), _COLUMNS)]
    return np.asarray(np.vstack(rows))


def _pair(
    person: Person, by_day: Renderer, by_night: Renderer, rng: np.random.Generator
) -> Picture:
    """The same moment in both lights."""
    distance_m, height_m = 6.0, 2.2
    view = View(
        eye=(0, -distance_m, height_m),
        target=(0, 0, person.height_m * 0.5),
        field_deg=float(np.degrees(2 * np.arctan(person.height_m * 0.28 / distance_m))),
        size_px=_CELL_WH,
    )
    posed = person.pose(rng.random(), (0, 0), -np.pi / 2 + rng.normal(0, 0.8))
    day, night = VisibleSensor(exposure=0.55), InfraredSensor(gain=0.32, vignette=0.1)
    shown = []
    for renderer, light, sensor in ((by_day, Daylight(), day), (by_night, Illuminator(), night)):
        renderer.add(person)
        rendering = renderer.draw({person.identity: posed}, view, light)
        shown.append(sensor.expose(rendering.light, rng))
        renderer.remove(person.identity)
    gap = np.full((_CELL_WH[1], _GAP_PX, 3), 255, np.uint8)
    pair = np.hstack([*shown, gap])
    return np.vstack([pair, np.full((_GAP_PX, pair.shape[1], 3), 255, np.uint8)])


if __name__ == "__main__":
    sys.exit(main())
