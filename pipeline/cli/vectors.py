"""noctule db index and db reembed: what makes search quick, and vectors of a new network."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.cli.desk import open_site
from pipeline.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, read_config
from pipeline.cli.output import light, print_json, print_line, progress_console
from pipeline.run.reembed import Reembedded, Reembedder
from storage.evidence import EvidenceStore
from storage.vectors.opening import open_exemplars
from streams.types import Modality


def index(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Bring the vector index in step with the database; search does the same when it needs it.

    Example: noctule db index
    """
    from models.reid.embedder import load_embedder  # torch takes seconds: not for --help

    site = read_config(config)
    embedder = load_embedder(site.embedder)
    counts: dict[str, int] = {}
    with open_site(site) as database:
        for modality in Modality:
            opened = open_exemplars(
                database,
                site.storage.index_folder,
                model=embedder.model,
                modality=modality,
                dimension=embedder.dimension,
            )
            with opened as vectors:
                counts[modality.value] = len(vectors)
    if as_json:
        print_json({"model": embedder.model, **counts})
        return
    told = ", ".join(f"{n} {light(Modality(name))}" for name, n in counts.items())
    print_line(f"vectors of {embedder.model} that can be searched: {told}")


def reembed(
    share: Annotated[
        float,
        typer.Option("--share", min=0.01, max=1, help="Of the time that it may work, 0.01 to 1."),
    ] = 1.0,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Describe exemplars of other networks anew with the configured one, newest first.

    Reads their pictures; those without one stay as they are. May be stopped and started again, and
    may run beside a watcher, which learns of the new vectors when it starts next.

    Example: noctule db reembed --share 0.3
    """
    from models.reid.embedder import load_embedder

    site = read_config(config)
    embedder = load_embedder(site.embedder)
    evidence = EvidenceStore(site.storage.evidence, reserve_mb=site.storage.reserve_mb)
    with open_site(site) as database:
        work = Reembedder(database=database, evidence=evidence, embedder=embedder)
        done = _run(work, share)
    if as_json:
        print_json({"model": embedder.model, **asdict(done)})
        return
    print_line(
        f"{done.n_described} exemplars described by {embedder.model}, {done.n_skipped} left as "
        "they are because their pictures are missing or damaged"
    )


def _run(work: Reembedder, share: float) -> Reembedded:
    """Step until nothing is left, resting in between for the rest of the time."""
    columns = (
        TextColumn("describing anew"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("exemplars, left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=progress_console) as bar:
        task = bar.add_task("", total=work.progress().n_left)
        began_s = time.monotonic()
        while n := work.step():
            bar.advance(task, n)
            worked_s = time.monotonic() - began_s
            time.sleep(worked_s * (1 - share) / share)
            began_s = time.monotonic()
    return work.progress()
