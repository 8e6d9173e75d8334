"""`python -m models.training RECIPE --data DIR --start FILE --out DIR`: trains an embedder."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from models.reid.checkpoint import read_checkpoint
from models.reid.networks.types import EmbeddingNetwork
from models.training.loop import train
from models.training.recipe import read_recipe
from models.training.start import RETAIL_0277_LICENCE, start_from_retail_0277


def main() -> None:
    """Reads the arguments and trains."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training",
        description="Trains an embedder on labelled crops in both lights.",
    )
    parser.add_argument("recipe", type=Path, help="YAML file, see models/training/recipes")
    parser.add_argument("--data", type=Path, required=True, help="PERSON/MODALITY_CAMERA/*.jpg")
    parser.add_argument(
        "--start",
        type=Path,
        required=True,
        help="weights to begin with: .safetensors, or person-reidentification-retail-0277.xml",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of weights and report")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(arguments.threads)
    settings = read_recipe(arguments.recipe)
    if arguments.start.suffix == ".xml":
        stages = settings.independent_stages
        start: EmbeddingNetwork = start_from_retail_0277(arguments.start, independent_stages=stages)
        licence = RETAIL_0277_LICENCE
    else:
        checkpoint = read_checkpoint(arguments.start)
        start, licence = checkpoint.network, checkpoint.card.licence
    train(settings, start, folder=arguments.data, out=arguments.out, licence=licence)


if __name__ == "__main__":
    main()
