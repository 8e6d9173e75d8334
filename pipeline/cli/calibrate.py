"""noctule calibrate: from similarity to probability, on people whom the network has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.config import EmbedderConfig
from models.reid.calibration import CAUTION
from pipeline.cli.options import JsonOption
from pipeline.cli.output import print_json, print_line, print_table
from pipeline.errors import UsageInvalid


def calibrate(
    data: Annotated[
        Path, typer.Option("--data", help="PERSON/MODALITY_CAMERA/*.jpg of people it never saw.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Calibration to write, .json; its diagram goes beside it.")
    ],
    weights: Annotated[
        str, typer.Option("--weights", help="Embedder: name in the manifest, or a file.")
    ] = EmbedderConfig().weights,
    widening: Annotated[
        float,
        typer.Option(
            min=1.0,
            help="Divide slopes by this, in every pair of lights: more than 1 where people are "
            "harder to tell apart than in these pictures.",
        ),
    ] = 1.0,
    caution: Annotated[
        float,
        typer.Option(
            min=1.0,
            help="Divide likelihood ratios by this: people of a site are dressed more alike than "
            "people drawn at random; 1 where the pictures are of the site itself.",
        ),
    ] = CAUTION,
    as_json: JsonOption = False,
) -> None:
    """Fit one curve per pair of lights, and check them on the half of the people left out.

    The file holds a fit to everybody; the diagram and the errors are of a fit to one half, measured
    on the other. Name the file in embedder.calibration, or put it beside the weights.

    Example: noctule calibrate --data people/ --weights edge --out site.calibration.json
    """
    from models.datasets.folder import find_crops
    from models.evaluation.calibration import embed_tracklets, fit_tracklets
    from models.evaluation.reliability import cross_check, draw, reliability_fields
    from models.reid.calibration import write_calibration
    from models.reid.embedder import load_embedder

    if out.suffix != ".json" or not out.absolute().parent.is_dir():
        raise UsageInvalid(f"--out {out}: expected a name ending in .json in a folder that exists")
    images = find_crops(data)
    embedder = load_embedder(EmbedderConfig(weights=weights))
    tracklets = embed_tracklets(images, embedder)
    n_people = len(set(tracklets.people))
    name = f"{data.name}, {n_people} people, {embedder.model}"
    calibration = fit_tracklets(
        tracklets, embedder.model, name=name, widening=widening, caution=caution
    )
    reliability = cross_check(tracklets, embedder.model, widening=widening, caution=caution)
    write_calibration(out, calibration, reliability=reliability_fields(reliability))
    diagram = out.with_suffix(".png")
    draw(diagram, reliability, title=name)
    if as_json:
        print_json(
            {"calibration": str(out), "diagram": str(diagram)} | reliability_fields(reliability)
        )
        return
    print_table(
        ("pair of lights", "even odds at", "slope", "expected error, people left out"),
        [
            [
                str(pair),
                f"{-calibration.curve(pair).offset / calibration.curve(pair).slope:.3f}",
                f"{calibration.curve(pair).slope:.1f}",
                f"{each.expected_error:.3f}",
            ]
            for pair, each in reliability.items()
        ],
        title=f"{n_people} people, {len(tracklets.people)} tracklets, {len(images)} pictures",
    )
    print_line(f"{out}, diagram {diagram}; for {embedder.model} only")
