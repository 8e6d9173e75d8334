"""Re-rankings by name."""

from __future__ import annotations

from typing import Literal

from models.reid.rerank.aim import AffinityInference
from models.reid.rerank.k_reciprocal import KReciprocal
from models.reid.rerank.sim import (
    SIM_FEW_SHOTS,
    SIM_MANY_SHOTS,
    SIM_REGDB,
    SimilarityInference,
)
from models.reid.rerank.types import Reranking, Vectors

RerankingName = Literal["aim", "k-reciprocal", "sim", "sim-few", "sim-regdb"]


def look_at(gallery: Vectors, name: RerankingName) -> Reranking:
    """The re-ranking of that name over a gallery, with its published parameters.

    Args:
        gallery: (G, D) float32, G at least 1.
        name: `sim` has the parameters for SYSU-MM01 with many shots, `sim-few` ours for three or
            four pictures of a person, `sim-regdb` those for RegDB.
    """
    match name:
        case "aim":
            return AffinityInference(gallery)
        case "k-reciprocal":
            return KReciprocal(gallery)
        case "sim":
            return SimilarityInference(gallery, SIM_MANY_SHOTS)
        case "sim-few":
            return SimilarityInference(gallery, SIM_FEW_SHOTS)
        case "sim-regdb":
            return SimilarityInference(gallery, SIM_REGDB)
