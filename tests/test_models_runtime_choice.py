"""The fastest library is measured once, remembered, and given up for torch when it fails."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest
import torch

from models.config import EmbedderConfig
from models.errors import RuntimeUnusable
from models.reid.checkpoint import Checkpoint
from models.reid.embedder import load_embedder
from models.runtime.choice import Choice, choice_file, read_choice, write_choice
from models.runtime.export import CARD, folder_name, read_export
from models.runtime.load import TORCH, Loader
from models.runtime.parity import Probe, lowest_cosine
from models.runtime.types import GraphFormat, Runtime
from models.types import ModelId
from streams.disk import sha256_of
from streams.errors import ConfigInvalid
from streams.types import Modality
from tests.runtime_builders import CPU, OPENVINO, WAYS, needs_openvino

pytest_plugins = ["tests.runtime_builders"]


def loader(shipped: Checkpoint, cache: Path) -> Loader:
    return Loader(network=shipped.network, model=shipped.model, device=CPU, cache=cache, threads=1)


@needs_openvino
def test_the_choice_is_measured_once_and_then_remembered(
    shipped: Checkpoint, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = loader(shipped, cache).open(Runtime.OPENVINO, allow_half=True)
    (file,) = cache.glob("choice-*.json")
    written = file.read_bytes()
    assert "comparing" in caplog.text
    caplog.clear()

    ways = [loader(shipped, cache).open(Runtime.OPENVINO, allow_half=True).way for _ in range(2)]

    assert ways == [first.way] * 2
    assert "comparing" not in caplog.text
    assert file.read_bytes() == written
    assert json.loads(written)["ms_per_crop"][str(first.way)] > 0


@pytest.mark.parametrize("content", ["", "[]", '{"way": {"runtime": "abacus"}}'])
def test_a_damaged_choice_counts_as_none(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "choice.json").write_text(content, encoding="utf-8")

    assert read_choice(tmp_path / "choice.json", WAYS) is None
    assert "measured again" in caplog.text


def test_a_choice_that_can_no_longer_be_taken_counts_as_none(tmp_path: Path) -> None:
    file = tmp_path / "choice.json"
    write_choice(file, Choice(way=OPENVINO, ms_per_crop={}, lowest_cosine={}))

    assert read_choice(file, [OPENVINO, TORCH]) is not None
    assert read_choice(file, [TORCH]) is None


@needs_openvino
def test_a_damaged_export_is_made_again(
    shipped: Checkpoint, cache: Path, probe: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    folder = cache / folder_name(GraphFormat.OPENVINO)
    weights = folder / "visible.bin"
    weights.write_bytes(weights.read_bytes()[:1000])

    opened = loader(shipped, cache).open(Runtime.OPENVINO, allow_half=False)

    assert "made again" in caplog.text
    assert opened.way == OPENVINO
    assert lowest_cosine(opened.engine, probe.few()) > 0.99999
    read_export(folder, shipped.model, GraphFormat.OPENVINO)


def vouch(folder: Path) -> None:
    """Writes the checksums of what lies there now, as a faulty exporter would have."""
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card["sha256"] = {name: sha256_of(folder / name) for name in card["sha256"]}
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")


def swap_lights(folder: Path) -> None:
    for suffix in (".xml", ".bin"):
        files = [folder / f"{light}{suffix}" for light in Modality]
        contents = [file.read_bytes() for file in files]
        for file, content in zip(files, contents[::-1], strict=True):
            file.write_bytes(content)


def no_graph(folder: Path) -> None:
    (folder / "visible.xml").write_text("<net", encoding="utf-8")


@needs_openvino
@pytest.mark.parametrize("spoil", [swap_lights, no_graph])
def test_a_graph_that_answers_wrongly_or_not_at_all_gives_way_to_torch(
    spoil: object,
    shipped: Checkpoint,
    cache: Path,
    probe: Probe,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = cache / folder_name(GraphFormat.OPENVINO)
    assert callable(spoil)
    spoil(folder)
    vouch(folder)

    opened = loader(shipped, cache).open(Runtime.OPENVINO, allow_half=False)

    assert opened.way == TORCH
    assert "left out: openvino in float32" in caplog.text
    assert lowest_cosine(opened.engine, probe.few()) > 0.99999


@needs_openvino
def test_a_choice_that_goes_wrong_later_is_noticed_at_the_start(
    shipped: Checkpoint, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = choice_file(cache, shipped.model, [OPENVINO], threads=1)
    write_choice(file, Choice(way=OPENVINO, ms_per_crop={}, lowest_cosine={}))
    folder = cache / folder_name(GraphFormat.OPENVINO)
    swap_lights(folder)
    vouch(folder)

    opened = loader(shipped, cache).open(Runtime.OPENVINO, allow_half=False)

    assert opened.way == TORCH
    assert "all ways are measured again" in caplog.text


def test_a_library_that_is_not_installed_gives_way_to_torch(
    shipped: Checkpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("openvino", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)

    by_name = loader(shipped, tmp_path).open(Runtime.OPENVINO, allow_half=True)
    by_itself = loader(shipped, tmp_path).open(None, allow_half=True)

    assert by_name.way == by_itself.way == TORCH
    assert "no openvino here, torch is taken" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_costs_no_export_at_every_start(
    shipped: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("a file where the cache should be", encoding="utf-8")

    opened = loader(shipped, tmp_path / "file" / "cache").open(None, allow_half=True)

    assert opened.way == TORCH
    if len(WAYS) > 1:
        assert "set NOCTULE_CACHE" in caplog.text


def test_a_folder_of_something_else_is_not_replaced_by_an_export(
    shipped: Checkpoint, exports: Path, tmp_path: Path
) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"precious")

    with pytest.raises(RuntimeUnusable, match="not a complete export"):
        read_export(tmp_path, shipped.model, GraphFormat.OPENVINO)
    with pytest.raises(RuntimeUnusable):
        read_export(exports / "nowhere", ModelId("other@0"), GraphFormat.OPENVINO)

    assert (tmp_path / "holiday.jpg").read_bytes() == b"precious"


def test_a_runtime_of_the_other_device_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigInvalid, match="tensorrt needs a GPU"):
        load_embedder(EmbedderConfig(runtime="tensorrt", device="cpu"))
