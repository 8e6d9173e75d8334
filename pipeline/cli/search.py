"""noctule search: who in the database looks like the person in these pictures?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from models.errors import PictureInvalid
from models.reid.calibration import load_calibration
from pipeline.cli.asking import typed_camera, write_down
from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    CameraOption,
    ConfigOption,
    FromOption,
    JsonOption,
    ModalityOption,
    OperatorOption,
    ToOption,
    parse_span,
    read_config,
)
from pipeline.cli.output import (
    clock_time,
    light,
    percent,
    print_json,
    print_line,
    print_table,
)
from pipeline.errors import UsageInvalid
from pipeline.linking.gallery import mean_look
from pipeline.searching import Found
from pipeline.searching import search as search_database
from storage.gallery import Part
from storage.types import person_name
from streams.images import read_image
from streams.moments import iso_time
from streams.types import Modality

if TYPE_CHECKING:
    from models.types import Crop


def search(
    pictures: Annotated[
        list[Path] | None,
        typer.Argument(help="Pictures of one person, each cropped to that person."),
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option("--image", help="The same, as an option.")
    ] = None,
    modality: ModalityOption = "auto",
    camera: CameraOption = None,
    start: FromOption = None,
    end: ToOption = None,
    seen_in: Annotated[
        Literal["visible", "infrared"] | None,
        typer.Option("--seen-in", help="Only pictures of this light are compared with."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Candidates at most.")] = 10,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
    as_json: JsonOption = False,
) -> None:
    """People who look like the one in the pictures, most probable first.

    Example: noctule search red-coat.jpg --camera gate --from 2026-06-01T18:00 --limit 5
    """
    files = [*(pictures or []), *(image or [])]
    if not files:
        raise UsageInvalid("name at least one picture, such as: noctule search red-coat.jpg")
    span = parse_span(start, end)
    from models.reid.embedder import load_embedder  # torch takes seconds: not for --help

    site = read_config(config)
    crops = [_read(file, modality) for file in files]
    with open_site(site) as database:
        part = Part(
            camera=typed_camera(database, camera),
            span=span,
            modality=Modality(seen_in) if seen_in else None,
        )
        embedder = load_embedder(site.embedder)
        asked = {"from": start, "to": end, "seen_in": seen_in, "pictures": list(map(str, files))}
        write_down(database, operator, "search", camera, **asked)
        found = search_database(
            mean_look(embedder.embed(crops)),
            database=database,
            storage=site.storage,
            model=embedder.model,
            calibration=load_calibration(site.embedder, model=embedder.model),
            config=site.linking,
            part=part,
        )
    if as_json:
        print_json(_to_json(found, crops, limit))
    elif not found.candidates:
        print_line(
            f"Nobody has been described by {embedder.model} "
            f"{'yet' if part == Part() else 'there and then'}, and vectors of other models are not "
            "compared; `noctule run` fills the database, `noctule db reembed` describes anew."
        )
    else:
        _print(found, limit)


def _read(file: Path, modality: Literal["auto", "visible", "infrared"]) -> Crop:
    from models.reid.pictures import picture_crop

    pixels = read_image(file)
    if pixels is None:
        raise PictureInvalid(f"{file}: expected a JPEG or PNG picture, found none")
    return picture_crop(pixels, modality)


def _to_json(found: Found, crops: list[Crop], limit: int) -> dict[str, object]:
    lights = sorted({crop.modality.value for crop in crops}, reverse=True)
    return {
        "modality": lights[0] if len(lights) == 1 else lights,
        "probability_nobody_known": found.nobody,
        "n_people": found.n_people,
        "candidates": [
            {
                "identity": person_name(c.identity),
                "probability": c.probability,
                "similarity": c.similarity,
                "compared": [modality.value for modality in c.pair],
                "nearest_camera": c.nearest.camera,
                "nearest_seen": iso_time(c.nearest.first_seen_us),
            }
            for c in found.candidates[:limit]
        ],
    }


def _print(found: Found, limit: int) -> None:
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
            for c in found.candidates[:limit]
        ],
    )
    print_line(f"Nobody of these: {percent(found.nobody)}.")
