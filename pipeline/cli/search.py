"""noctule search: who in the database looks like the person in this picture?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.errors import PictureInvalid
from models.reid.calibration import load_calibration
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    ModalityOption,
    read_config,
)
from pipeline.cli.output import (
    clock_time,
    iso_time,
    light,
    percent,
    print_json,
    print_line,
    print_table,
)
from pipeline.linking.gallery import Gallery, fill, mean_look
from pipeline.linking.linker import rank
from storage.database import open_database
from storage.gallery import gallery as gallery_rows
from storage.types import person_name
from streams.images import read_image


def search(
    image: Annotated[Path, typer.Option("--image", help="A picture cropped to one person.")],
    modality: ModalityOption = "auto",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Candidates at most.")] = 10,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """People who look like the one in a picture, most probable first.

    Example: noctule search --image red-coat.jpg --limit 5
    """
    from models.reid.embedder import load_embedder  # torch takes seconds: not for --help
    from models.reid.pictures import picture_crop

    site = read_config(config)
    pixels = read_image(image)
    if pixels is None:
        raise PictureInvalid(f"--image {image}: expected a JPEG or PNG picture, found none")
    crop = picture_crop(pixels, modality)
    embedder = load_embedder(site.embedder)
    gallery = Gallery(embedder.dimension)
    with open_database(site.storage.database.get_secret_value()) as database:
        fill(gallery, gallery_rows(database, model=embedder.model, since_us=None))
    candidates = rank(
        mean_look(embedder.embed([crop])),
        gallery=gallery,
        calibration=load_calibration(site.embedder, model=embedder.model),
        config=site.linking,
    )
    nobody = 1 - sum(candidate.probability for candidate in candidates)
    shown = candidates[:limit]
    if as_json:
        print_json(
            {
                "modality": crop.modality.value,
                "probability_nobody_known": nobody,
                "candidates": [
                    {
                        "identity": person_name(c.identity),
                        "probability": c.probability,
                        "similarity": c.similarity,
                        "compared": [modality.value for modality in c.pair],
                        "nearest_camera": c.nearest.camera,
                        "nearest_seen": iso_time(c.nearest.first_seen_us),
                    }
                    for c in shown
                ],
            }
        )
        return
    if not candidates:
        print_line(
            f"Nobody has been described by {embedder.model} yet, and vectors of other models are "
            "not compared; `noctule run` fills the database."
        )
        return
    print_table(
        ("identity", "probability", "similarity", "compared", "nearest", "seen (UTC)"),
        [
            (
                person_name(c.identity),
                percent(c.probability),
                f"{c.similarity:.2f}",
                f"{light(c.pair[0])} with {light(c.pair[1])}",
                c.nearest.camera,
                clock_time(c.nearest.first_seen_us),
            )
            for c in shown
        ],
    )
    print_line(f"Nobody of these: {percent(nobody)}.")
