"""How quickly are the nearest of very many vectors found, and how many of them?

One query at a time, one thread, CPU seconds, medians; contestants take turns after every twenty
queries, since comparing all leaves nothing of the others in the caches. recall@10 against comparing
all.

Data: vectors of real crops by our own embedder, grown to size. A made-up person stands between two
real ones; their pictures differ from each other as those of a third real person do, and a little
more. Where more numbers are asked for than the embedder gives, vectors are rotated into them, with
noise in all of them. `strangers` are made-up people who are not in the gallery.

Example: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.vector_search \
    --crops crops/ --size 100000 --dimension 512 --out benchmarks/results/vector_search.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.record import record
from models.config import EmbedderConfig
from models.reid.embedder import load_embedder
from models.reid.pictures import embed_pictures, write_features
from storage.vectors.approximate import ApproximateIndex
from storage.vectors.files import Saved, read_index, write_index
from storage.vectors.index import load_faiss

K = 10
N_QUERIES = 200
NOISE = 0.1
IN_A_ROW = 20
HNSW_LINKS, HNSW_BUILD, HNSW_SEARCH = 32, 60, 64
SEED = 7

Vectors = npt.NDArray[np.float32]
Search = Callable[[Vectors], npt.NDArray[np.int64]]


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--crops", type=Path, required=True, help="PERSON/visible_CAMERA/*.jpg")
    words.add_argument("--cache", type=Path, help="Where vectors of the crops are kept, .npz")
    words.add_argument("--size", type=int, default=100_000, help="Above 20000.")
    words.add_argument("--dimension", type=int, default=512)
    words.add_argument("--without-hnsw", action="store_true", help="It takes long to build.")
    words.add_argument("--out", type=Path, default=Path("benchmarks/results/vector_search.json"))
    given = words.parse_args()
    load_faiss().omp_set_num_threads(1)
    vectors, people, model = real_vectors(given.crops, given.cache)
    per_person = {
        str(n): measure(
            vectors,
            people,
            n_per_person=n,
            size=given.size,
            dimension=given.dimension,
            with_hnsw=not given.without_hnsw,
        )
        for n in (50, 8)
    }
    result = {
        "data": f"{len(vectors)} visible crops of {len(set(people))} people by {model}, grown",
        "size": given.size,
        "dimension": given.dimension,
        "pictures_per_person": per_person,
    }
    record(given.out, result)


def real_vectors(crops: Path, cache: Path | None) -> tuple[Vectors, list[str], str]:
    """Vectors of all visible crops, whose they are, and the network that made them."""
    if cache is None or not cache.exists():
        embedder = load_embedder(EmbedderConfig(device="cpu"))
        files = sorted(crops.glob("*/visible_*/*.jpg"))
        features = embed_pictures(files, embedder, modality="visible")
        cache = cache or Path(tempfile.mkdtemp()) / "features.npz"
        write_features(cache, features)
    with np.load(cache) as kept:
        people = [Path(str(file)).parent.parent.name for file in kept["file"]]
        return kept["vec"], people, str(kept["model"])


def measure(
    vectors: Vectors,
    people: list[str],
    *,
    n_per_person: int,
    size: int,
    dimension: int,
    with_hnsw: bool,
) -> dict[str, object]:
    """Time and recall of every contestant on a gallery of `size`."""
    rng = np.random.default_rng(SEED)
    grown = grow(vectors, people, size + 2 * N_QUERIES, n_per_person, dimension, rng)
    held_out = rng.choice(size + N_QUERIES, N_QUERIES, replace=False)
    strangers = grown[size + N_QUERIES :]  # the last made-up people; few of them are inside
    known = grown[held_out]
    gallery = np.delete(grown[: size + N_QUERIES], held_out, axis=0)
    del grown
    began = time.process_time()
    ours = ApproximateIndex(dimension)
    ours.add(np.arange(size), gallery)
    building = {"ours_build_s": time.process_time() - began}
    contestants: dict[str, Search] = {
        "numpy": lambda query: brute(gallery, query),
        "ours": lambda query: ours.search(query, K).ids[0],
        "faiss flat": flat(gallery),
    }
    if with_hnsw:
        began = time.process_time()
        contestants["faiss hnsw"] = hnsw(gallery)
        building["hnsw_build_s"] = time.process_time() - began
    told: dict[str, object] = {
        "known": race(contestants, known),
        "strangers": race(contestants, strangers),
        "building": building,
        "opening": opening(ours, known[:1]),
    }
    for name, found in told.items():
        print(n_per_person, name, found)
    return told


def grow(
    vectors: Vectors,
    people: list[str],
    n: int,
    n_per_person: int,
    dimension: int,
    rng: np.random.Generator,
) -> Vectors:
    """(n, dimension) vectors of made-up people, person after person."""
    whose = np.unique(people, return_inverse=True)[1]
    own = [vectors[whose == number] for number in range(whose.max() + 1)]
    centres = np.stack([rows.mean(axis=0) for rows in own])
    rest = [rows - centre for rows, centre in zip(own, centres, strict=True)]
    wide = np.linalg.qr(rng.normal(size=(dimension, dimension)))[0][: vectors.shape[1]]
    made = np.empty((n, dimension), dtype=np.float32)
    for start in range(0, n, n_per_person):
        a, b, c = rng.integers(len(own), size=3)
        share = rng.uniform(0.5, 1)
        between = share * centres[a] + (1 - share) * centres[b]
        between *= np.linalg.norm(centres[a]) / np.linalg.norm(between)
        one, other = rest[c][rng.integers(len(rest[c]), size=(2, n_per_person))]
        mixed = rng.uniform(0, 1, size=(n_per_person, 1))
        shift = (mixed * one + (1 - mixed) * other) / np.sqrt(mixed**2 + (1 - mixed) ** 2)
        rows = (between + shift) @ wide
        rows += rng.normal(size=rows.shape) * NOISE / np.sqrt(dimension)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        made[start : start + n_per_person] = rows[: n - start]
    return made


def brute(gallery: Vectors, query: Vectors) -> npt.NDArray[np.int64]:
    similarities = gallery @ query[0]
    nearest = np.argpartition(-similarities, K)[:K]
    return np.asarray(nearest[np.argsort(-similarities[nearest])], dtype=np.int64)


def flat(gallery: Vectors) -> Search:
    index = load_faiss().IndexFlatIP(gallery.shape[1])
    index.add(gallery)
    return lambda query: np.asarray(index.search(query, K)[1][0])


def hnsw(gallery: Vectors) -> Search:
    faiss = load_faiss()
    index = faiss.IndexHNSWFlat(gallery.shape[1], HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = HNSW_BUILD, HNSW_SEARCH
    index.add(gallery)
    return lambda query: np.asarray(index.search(query, K)[1][0])


def race(contestants: Mapping[str, Search], queries: Vectors) -> dict[str, dict[str, float]]:
    """Median CPU milliseconds per query, how many times quicker than numpy, recall@10."""
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    answers: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in contestants}
    for start in range(0, len(queries), IN_A_ROW):
        for name, search in contestants.items():
            for number in range(start, min(start + IN_A_ROW, len(queries))):
                began = time.process_time()
                answers[name].append(search(queries[number : number + 1]))
                spent[name].append(1e3 * (time.process_time() - began))
    shared = {
        name: [len({*a} & {*b}) / K for a, b in zip(found, answers["numpy"], strict=True)]
        for name, found in answers.items()
    }
    return {
        name: {
            "ms": round(float(np.median(spent[name])), 4),
            "times_numpy": round(float(np.median(spent["numpy"]) / np.median(spent[name])), 1),
            "recall": round(float(np.mean(shared[name])), 4),
        }
        for name in contestants
    }


def opening(index: ApproximateIndex, query: Vectors) -> dict[str, float]:
    """Seconds to write the files, to open them in a warm cache, and to answer a first question."""
    ids, vectors = index.contents()
    saved = Saved(
        name="benchmark",
        ids=ids,
        vectors=vectors,
        block=index.fold(),
        watermark=len(ids),
        n_exemplars=len(ids),
    )
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        write_index(Path(folder), saved)
        written = time.monotonic()
        again = read_index(Path(folder))
        if again is None:
            raise RuntimeError("what was just written is not there")
        opened = time.monotonic()
        ApproximateIndex(vectors.shape[1], block=again.block).search(query, K)
        answered = time.monotonic()
    return {
        "write_s": round(written - began, 3),
        "open_s": round(opened - written, 3),
        "first_answer_s": round(answered - opened, 3),
    }


if __name__ == "__main__":
    main()
