"""What was measured, on what, by which rules: figures that others can compare with theirs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from models.evaluation.measure import SearchFigures
from models.evaluation.protocols import Protocol
from models.reid.checkpoint import Checkpoint
from models.reid.networks.presets import architecture_fields
from models.reid.rerank.load import RerankingName
from models.runtime.types import Way
from models.types import ModelId

_SIM_WORDS = "gallery only, no other query is looked at; parameters as published"
_RERANKING_WORDS: dict[RerankingName | None, str] = {
    None: "none",
    "aim": f"AIM ({_SIM_WORDS})",
    "k-reciprocal": f"k-reciprocal, the query as guest ({_SIM_WORDS})",
    "sim": f"SIM, Jacobi form ({_SIM_WORDS} for SYSU-MM01, many shots)",
    "sim-few": "SIM, Jacobi form (gallery only; our parameters for three or four shots)",
    "sim-regdb": f"SIM, Jacobi form ({_SIM_WORDS} for RegDB)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Figures of one network under one protocol, with everything that decides them.

    Attributes:
        protocol: Its name.
        data: Folder, pictures and people.
        shots: Gallery pictures per person and camera.
        gallery_source: How the gallery was drawn.
        cmc_counts: People or pictures.
        remark: What one must know to compare; may be empty.
        model: The network, by content.
        run_by: Library and precision that made the vectors.
        feature: What is compared, and how.
        ensembling: What is put together at test time.
        reranking: What changes the order, and what it looks at.
        centring: Whether cameras' means were taken out.
        checkpoint_rule: What the weights file says of how it came about.
        searches: Figures by direction.
    """

    protocol: str
    data: str
    shots: str
    gallery_source: str
    cmc_counts: str
    remark: str
    model: ModelId
    run_by: str
    feature: str
    ensembling: str
    reranking: str
    centring: str
    checkpoint_rule: str
    searches: tuple[SearchFigures, ...]

    def to_json(self) -> dict[str, object]:
        """Every field; shares are 0-1, what is unknown is null."""
        return asdict(self)

    def conditions(self) -> list[tuple[str, str]]:
        """Name and words of everything but the figures, in the order of reading."""
        rows = [
            ("protocol", self.protocol),
            ("data", self.data),
            ("shots", self.shots),
            ("gallery", self.gallery_source),
            ("CMC counts", self.cmc_counts),
            ("embedder", self.model),
            ("run by", self.run_by),
            ("feature", self.feature),
            ("test-time ensembling", self.ensembling),
            ("re-ranking", self.reranking),
            ("camera centring", self.centring),
            ("checkpoint", self.checkpoint_rule),
        ]
        return [*rows, ("remark", self.remark)] if self.remark else rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a weights file says of itself, in the words of a report."""

    model: ModelId
    run_by: str
    feature: str
    ensembling: str
    checkpoint_rule: str


def describe(checkpoint: Checkpoint, way: Way) -> Subject:
    """What is compared, what is put together, how the weights came about and were run."""
    network = checkpoint.network
    has_auxiliary = architecture_fields(network.architecture).get("generator") is not None
    return Subject(
        model=checkpoint.model,
        run_by=str(way),
        feature=f"the network's one embedding, {network.dimension} numbers, scaled to unit length, "
        f"compared by cosine",
        ensembling="the features of a picture and of its auxiliary picture are summed in the "
        "network; no flips, no other views"
        if has_auxiliary
        else "none: one picture, one pass, one vector",
        checkpoint_rule=f"{checkpoint.card.stage}; learned from {checkpoint.card.data}",
    )


def write_report(
    protocol: Protocol,
    searches: tuple[SearchFigures, ...],
    subject: Subject,
    *,
    data: Path,
    n_pictures: int,
    n_people: int,
    rerank: RerankingName | None,
    centred: bool,
) -> Report:
    """The report of figures that were measured under a protocol."""
    shots = protocol.shots
    return Report(
        protocol=protocol.name,
        data=f"{data.name}: {n_pictures} pictures of {n_people} people",
        shots="all there are" if shots is None else f"{shots} per person and camera",
        gallery_source=protocol.gallery_source,
        cmc_counts="people, each at their best picture" if protocol.count_people else "pictures",
        remark=protocol.remark,
        model=subject.model,
        run_by=subject.run_by,
        feature=subject.feature,
        ensembling=subject.ensembling,
        reranking=_RERANKING_WORDS[rerank],
        centring="each camera's mean taken out; of cameras that ask it is the mean of all their "
        "queries, so figures use the query set"
        if centred
        else "none",
        checkpoint_rule=subject.checkpoint_rule,
        searches=searches,
    )
