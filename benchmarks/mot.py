"""Scores of tracks against MOTChallenge ground truth, by TrackEval."""

from __future__ import annotations

import configparser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import trackeval

COMBINED = "COMBINED_SEQ"
"""TrackEval's name for all sequences counted together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What MOT papers report; all but the counts in percent.

    Attributes:
        hota: Mean over localisation thresholds 0.05 ... 0.95, as are deta and assa.
        idsw: Identity switches, a count over the sequence.
        fragments: Interruptions of a tracked person, a count.
        n_ids: Identities that the tracker gave out; `n_true_ids` people were there.
    """

    hota: float
    deta: float
    assa: float
    idf1: float
    mota: float
    recall: float
    precision: float
    idsw: int
    fragments: int
    n_ids: int
    n_true_ids: int


def write_rows(path: Path, rows: npt.NDArray[np.float64]) -> None:
    """Write rows `frame, id, x, y, w, h, score` as a MOTChallenge result file.

    Args:
        path: Parent folders are created.
        rows: (N, 7), frames and identities from 1. N may be 0.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    lines = (
        f"{int(f)},{int(i)},{x:.2f},{y:.2f},{w:.2f},{h:.2f},{s:.4f},-1,-1,-1\n"
        for f, i, x, y, w, h, s in ordered
    )
    path.write_text("".join(lines))


def thin_truth(truth: Path, thinned: Path, *, every: int) -> int:
    """Ground truth of one frame of so many, renumbered from 1; returns how many frames are left.

    Args:
        truth: Folder of a sequence with `gt/gt.txt` and `seqinfo.ini`.
        thinned: Folder to write the same into.
    """
    info = configparser.ConfigParser()
    info.read(truth / "seqinfo.ini")
    n_frames = len(range(0, int(info["Sequence"]["seqLength"]), every))
    lines = []
    for line in (truth / "gt" / "gt.txt").read_text().splitlines():
        frame, rest = line.split(",", 1)
        if (int(frame) - 1) % every == 0:
            lines.append(f"{(int(frame) - 1) // every + 1},{rest}\n")
    (thinned / "gt").mkdir(parents=True)
    (thinned / "gt" / "gt.txt").write_text("".join(lines))
    (thinned / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={n_frames}\n")
    return n_frames


def score(truth: Path, results: Path, sequences: Sequence[str]) -> dict[str, dict[str, Scores]]:
    """Scores of every tracker on every sequence and on all together, `[tracker][sequence]`.

    MOT15 rules: every ground-truth row that is not marked as ignored counts, nothing is
    removed from the results.

    Args:
        truth: Holds `SEQUENCE/gt/gt.txt` and `SEQUENCE/seqinfo.ini`.
        results: Holds `TRACKER/data/SEQUENCE.txt`, nothing else.
    """
    trackers = sorted(folder.name for folder in results.iterdir())
    dataset = trackeval.datasets.MotChallenge2DBox(
        {
            "GT_FOLDER": str(truth),
            "TRACKERS_FOLDER": str(results),
            "TRACKERS_TO_EVAL": trackers,
            "BENCHMARK": "MOT15",
            "SEQ_INFO": dict.fromkeys(sequences),
            "SKIP_SPLIT_FOL": True,
            "PRINT_CONFIG": False,
        }
    )
    evaluator = trackeval.Evaluator(
        {
            "USE_PARALLEL": False,
            "BREAK_ON_ERROR": True,
            "PRINT_RESULTS": False,
            "PRINT_CONFIG": False,
            "TIME_PROGRESS": False,
            "OUTPUT_SUMMARY": False,
            "OUTPUT_DETAILED": False,
            "PLOT_CURVES": False,
        }
    )
    quiet = {"PRINT_CONFIG": False}
    metrics = [
        trackeval.metrics.HOTA(quiet),
        trackeval.metrics.CLEAR(quiet),
        trackeval.metrics.Identity(quiet),
    ]
    outcome, _ = evaluator.evaluate([dataset], metrics)
    by_tracker = outcome["MotChallenge2DBox"]
    return {
        tracker: {
            sequence: _to_scores(by_tracker[tracker][sequence]["pedestrian"])
            for sequence in [*sequences, COMBINED]
        }
        for tracker in trackers
    }


def _to_scores(figures: dict[str, dict[str, npt.NDArray[np.float64]]]) -> Scores:
    hota, clear, identity = figures["HOTA"], figures["CLEAR"], figures["Identity"]

    def percent(value: npt.NDArray[np.float64]) -> float:
        return round(100 * float(np.mean(value)), 2)

    return Scores(
        hota=percent(hota["HOTA"]),
        deta=percent(hota["DetA"]),
        assa=percent(hota["AssA"]),
        idf1=percent(identity["IDF1"]),
        mota=percent(clear["MOTA"]),
        recall=percent(clear["CLR_Re"]),
        precision=percent(clear["CLR_Pr"]),
        idsw=int(clear["IDSW"]),
        fragments=int(clear["Frag"]),
        n_ids=int(figures["Count"]["IDs"]),
        n_true_ids=int(figures["Count"]["GT_IDs"]),
    )
