"""noctule evaluate: how good networks and links are, by rules that others use too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.config import EmbedderConfig
from pipeline.cli.evaluate_links import links
from pipeline.cli.options import JsonOption
from pipeline.cli.output import print_json, print_line, print_table, progress_console
from pipeline.errors import UsageInvalid

if TYPE_CHECKING:
    from models.evaluation.benchmark import Benchmark
    from models.evaluation.measure import Ranking, SearchFigures, Spread
    from models.evaluation.report import Report

ProtocolOption = Literal[
    "sysu-all", "sysu-indoor", "regdb-v2t", "regdb-t2v", "llcm-v2i", "llcm-i2v", "folder"
]
RerankOption = Literal["none", "aim", "k-reciprocal", "sim", "sim-few", "sim-regdb"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Measure how good a network is, or what was recorded. Example: noctule evaluate reid "
    "--data crops/",
)
app.command()(links)


@app.command()
def reid(
    data: Annotated[
        Path, typer.Option("--data", help="The data set's folder; PERSON/LIGHT_CAMERA/*.jpg.")
    ],
    protocol: Annotated[
        ProtocolOption, typer.Option("--protocol", help="Who asks whom, and what does not count.")
    ] = "folder",
    weights: Annotated[
        str, typer.Option("--weights", help="Embedder: name in the manifest, or a file.")
    ] = EmbedderConfig().weights,
    shots: Annotated[
        int | None,
        typer.Option(
            "--shots",
            min=1,
            help="Gallery pictures per person and camera; default: 1, for a folder all.",
        ),
    ] = None,
    people: Annotated[
        int | None,
        typer.Option("--people", min=2, help="Only for a folder: size of the crowd, drawn."),
    ] = None,
    split: Annotated[
        int, typer.Option("--split", min=1, max=10, help="Only for RegDB: which of its ten splits.")
    ] = 1,
    permutations: Annotated[
        Path | None,
        typer.Option("--permutations", help="Only for SYSU-MM01: rand_perm_cam.mat."),
    ] = None,
    rerank: Annotated[
        RerankOption, typer.Option("--rerank", help="Also measure the order after it.")
    ] = "none",
    centre: Annotated[
        bool, typer.Option("--centre", help="Take each camera's mean out of the vectors first.")
    ] = False,
    precision: Annotated[
        Literal["auto", "float32"],
        typer.Option("--precision", help="auto counts as the watcher does on this machine."),
    ] = "float32",
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write the report to as JSON as well.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank 1 to 20, mAP, mINP, equal error rate and true accepts of a network on labelled pictures.

    Every report says how the gallery was drawn, what was compared and what was re-ranked.

    Example: noctule evaluate reid --data crops/ --people 11 --rerank k-reciprocal
    """
    from models.evaluation.benchmark import Choices, read_benchmark  # torch takes seconds

    _check(data, protocol, shots=shots, people=people, permutations=permutations, out=out)
    choices = Choices(shots=shots, n_people=people, split=split, permutations=permutations)
    benchmark = read_benchmark(data, protocol, choices)
    config = EmbedderConfig(weights=weights, precision=precision)
    report = _measure(benchmark, data, config, rerank=rerank, centre=centre)
    if out is not None:
        out.write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)


def _check(
    data: Path,
    protocol: ProtocolOption,
    *,
    shots: int | None,
    people: int | None,
    permutations: Path | None,
    out: Path | None,
) -> None:
    if not data.is_dir():
        raise UsageInvalid(f"--data {data}: no such folder")
    if people is not None and protocol != "folder":
        raise UsageInvalid(f"--people: {protocol} says who is searched; use it with folder")
    if shots is not None and protocol.startswith("regdb"):
        raise UsageInvalid(f"--shots: {protocol} searches all pictures; leave it away")
    if permutations is not None and not protocol.startswith("sysu"):
        raise UsageInvalid(f"--permutations: {protocol} does not use it; leave it away")
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise UsageInvalid(f"--out {out}: expected a file in a folder that exists")


def _measure(
    benchmark: Benchmark, data: Path, config: EmbedderConfig, *, rerank: RerankOption, centre: bool
) -> Report:
    from models.evaluation.measure import measure
    from models.evaluation.pictures import embed_images
    from models.evaluation.report import describe, write_report
    from models.reid.checkpoint import read_checkpoint
    from models.reid.embedder import load_embedder
    from models.weights import obtain

    embedder = load_embedder(config)
    subject = describe(read_checkpoint(obtain(config.weights)), embedder.way)
    name = None if rerank == "none" else rerank
    with _bar() as bar:
        task = bar.add_task("embedding pictures", total=len(benchmark.images))
        vectors = embed_images(benchmark.images, embedder, on_done=lambda n: bar.advance(task, n))
        n_trials = sum(len(search.trials) for search in benchmark.protocol.searches)
        trials = bar.add_task("measuring trials", total=n_trials)
        searches = measure(
            vectors,
            benchmark.labels,
            benchmark.protocol,
            rerank=name,
            centred=centre,
            on_trial=lambda: bar.advance(trials),
        )
    return write_report(
        benchmark.protocol,
        searches,
        subject,
        data=data,
        n_pictures=len(benchmark.images),
        n_people=len({image.person for image in benchmark.images}),
        rerank=name,
        centred=centre,
    )


def _print(report: Report) -> None:
    width = max(len(name) for name, _ in report.conditions())
    for name, words in report.conditions():
        print_line(f"{name:{width}}  {words}")
    print_line()
    print_table(
        ("direction", "order", "queries", "gallery", *_RANKING_COLUMNS),
        [row for search in report.searches for row in _ranking_rows(search)],
        title="finding a person in a gallery, percent",
    )
    print_table(
        ("direction", "equal error", "accepted at 1 % false", "at 0.1 % false"),
        [[search.name, *_pair_cells(search)] for search in report.searches],
        title="is this pair one person, by cosine, never re-ranked, percent",
    )


_RANKING_COLUMNS = ("rank 1", "rank 5", "rank 10", "rank 20", "mAP", "mINP")
_UNKNOWN = "–"


def _ranking_rows(search: SearchFigures) -> list[list[str]]:
    counts = [f"{search.n_valid_queries:.0f} of {search.n_queries:.0f}", f"{search.n_gallery:.0f}"]
    if search.plain is None:
        return [[search.name, "nothing to find", *counts, *[_UNKNOWN] * len(_RANKING_COLUMNS)]]
    rows = [[search.name, "cosine", *counts, *_ranking_cells(search.plain)]]
    if search.reranked is not None:
        rows.append(["", "re-ranked", "", "", *_ranking_cells(search.reranked)])
    return rows


def _ranking_cells(ranking: Ranking) -> list[str]:
    figures = (ranking.rank1, ranking.rank5, ranking.rank10, ranking.rank20)
    return [_percent(each) for each in (*figures, ranking.mean_ap, ranking.mean_inp)]


def _pair_cells(search: SearchFigures) -> list[str]:
    if search.pairs is None:
        return [_UNKNOWN] * 3
    pairs = search.pairs
    return [_percent(each) for each in (pairs.eer, pairs.tar_at_far_1e2, pairs.tar_at_far_1e3)]


def _percent(spread: Spread | None) -> str:
    if spread is None:
        return _UNKNOWN
    deviation = f" ±{100 * spread.std:.1f}" if spread.std else ""
    return f"{100 * spread.mean:.1f}{deviation}"


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=progress_console,
    )
