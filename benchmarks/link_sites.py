"""Simulated sites watched by the real watcher, scored against their truth, part by part.

    noctule simulate lobby --seed 77 --people 8 --minutes 1 --out held/lobby
    python -m benchmarks.link_sites held/lobby --work work --out benchmarks/results/link_sites.json

Each folder holds what `noctule simulate` writes: videos with their truth beside them, and
`config.yaml`; a configuration elsewhere may be named instead of the folder. A site is watched
once; its database stays in `--work`, and a second call takes it from there. What the recorded
sightings would have become with parts of linking switched off, or with the vectors of a
visible-only network (`--peer`, whose calibration is fitted to the people of `--crops` that linking
is tuned on), comes from telling them again to the linker. docs/linking-measures.md defines all
figures. Sites of a report are never used for tuning.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy.typing as npt

from benchmarks.link_days import TUNE
from benchmarks.link_pictures import PEER, embedder_and_calibration
from benchmarks.record import record
from benchmarks.relink import Recording, Without, recording_of, relinked
from benchmarks.sites import figures, into_folder, true_videos
from models.datasets.folder import find_crops
from models.datasets.types import LabelledImage
from models.reid.calibration import Calibration, load_calibration
from models.reid.embedder import Embedder
from pipeline.config import load_config
from pipeline.evaluation.truth import TrueVideo
from pipeline.linking.config import LinkingConfig
from pipeline.run.watch import watch
from storage.database import open_database
from storage.evidence import EvidenceStore
from streams.types import CameraId

ABLATIONS = {
    "told again": Without(),
    "no transit": Without(transit=True),
    "no constraints": Without(constraints=True),
    "no second thoughts": Without(refine=True),
    "none of the three": Without(transit=True, constraints=True, refine=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "sites", type=Path, nargs="+", help="folders of `noctule simulate`, or configurations"
    )
    parser.add_argument("--work", type=Path, required=True, help="where databases are kept")
    parser.add_argument("--crops", type=Path, help="people that linking is tuned on, for --peer")
    parser.add_argument("--peer", type=Path, help=f"weights (.xml) of {PEER}, to compare with")
    parser.add_argument("--out", type=Path, help="write the JSON with commit and machine")
    given = parser.parse_args()
    if given.peer and not given.crops:
        parser.error("--peer needs --crops, to fit its calibration to")
    fit_to = [i for i in find_crops(given.crops) if int(i.person) in TUNE] if given.crops else []
    result = {
        name: measured(config, given.work / name, peer=given.peer, fit_to=fit_to)
        for name, config in map(_named, given.sites)
    }
    if given.out:
        record(given.out, {"sites": result})
    print(json.dumps(result, indent=2))


def _named(place: Path) -> tuple[str, Path]:
    """Name and configuration of a site."""
    config = place / "config.yaml" if place.is_dir() else place
    return config.absolute().parent.name, config


def measured(
    config: Path, work: Path, *, peer: Path | None, fit_to: Sequence[LabelledImage]
) -> dict[str, object]:
    """A site as it was watched, and told again in other ways."""
    site = into_folder(load_config(config), work)
    cameras = [camera.name for camera in site.cameras]
    truth = true_videos(site)
    url = site.storage.database.get_secret_value()
    if not (work / "noctule.db").is_file():
        work.mkdir(parents=True, exist_ok=True)
        watch(site, stop=threading.Event(), report=lambda _: None)
    with open_database(url) as database:
        result: dict[str, object] = {"watched": figures(database, truth)}
        recording = recording_of(
            database, EvidenceStore(site.storage.evidence, reserve_mb=site.storage.reserve_mb)
        )
    grounds = {CameraId(c.name): c.ground for c in site.cameras if c.ground is not None}
    ours = load_calibration(site.embedder, model=recording.vectors.model)
    for name, without in ABLATIONS.items():
        linking = without.settings(site.linking, cameras)
        result[name] = _again(recording, recording.vectors, ours, linking, truth, grounds)
    if peer is not None:
        embedder, calibration = embedder_and_calibration(PEER, peer_xml=peer, fit_to=fit_to)
        result[PEER] = _again(recording, embedder, calibration, site.linking, truth, grounds)
    return result


def _again(
    recording: Recording,
    embedder: Embedder,
    calibration: Calibration,
    linking: LinkingConfig,
    truth: Sequence[TrueVideo],
    grounds: Mapping[CameraId, npt.ArrayLike],
) -> dict[str, object]:
    with TemporaryDirectory() as name:
        url = relinked(
            recording.tracklets,
            Path(name),
            embedder=embedder,
            calibration=calibration,
            linking=linking,
            grounds=grounds,
        )
        with open_database(url) as database:
            return figures(database, truth)


if __name__ == "__main__":
    main()
