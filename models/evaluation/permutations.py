"""The official draw of SYSU-MM01's galleries, from its file `rand_perm_cam.mat`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.evaluation.rules import SYSU_INFRARED_CAMERAS, Labels, Permutations
from streams.errors import SourceUnreadable

N_TRIALS = 10
_N_CAMERAS = 6
_NOT_MATLAB = (OSError, ValueError, KeyError, NotImplementedError)


def read_permutations(path: Path) -> Permutations:
    """`rand_perm_cam.mat`: a cell array of 6 cameras, each of people, each (10, N) permutations.

    The file counts people from 1 by their place; who has no picture at a camera has none there.

    Raises:
        SourceUnreadable: Missing, or not that file.
    """
    from scipy.io import loadmat  # for those who evaluate
    from scipy.io.matlab import MatReadError

    try:
        cameras = loadmat(str(path))["rand_perm_cam"].ravel()
        numbers = {
            (camera, person): np.asarray(rows, np.int64)
            for camera, people in enumerate(cameras, start=1)
            for person, rows in enumerate(people.ravel(), start=1)
            if rows.size
        }
    except (*_NOT_MATLAB, AttributeError, TypeError, MatReadError) as error:
        raise SourceUnreadable(
            f"{path}: expected rand_perm_cam.mat of SYSU-MM01, could not read it ({error})"
        ) from error
    if len(cameras) != _N_CAMERAS or not all(_is_permutation(each) for each in numbers.values()):
        raise SourceUnreadable(
            f"{path}: expected permutations of {_N_CAMERAS} cameras in {N_TRIALS} trials, "
            f"got something else; fetch it again from the data set's site"
        )
    return Permutations(numbers=numbers)


def read_people(path: Path) -> list[int]:
    """The numbers of a split of SYSU-MM01, ascending: `test_id.txt` (with commas) or `test_id.mat`.

    Raises:
        SourceUnreadable: Missing, or not such a file.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        if path.suffix == ".mat":
            return sorted(int(number) for number in loadmat(str(path))["id"].ravel())
        return sorted(int(word) for word in path.read_text(encoding="ascii").split(","))
    except (*_NOT_MATLAB, MatReadError) as error:
        raise SourceUnreadable(
            f"{path}: expected the numbers of a split's people, could not read them ({error})"
        ) from error


def layout(permutations: Permutations, people: Collection[int]) -> Labels:
    """Labels of every picture of some people, as the permutations alone tell them.

    Enough to check an evaluation without a single picture.
    """
    keys = sorted((person, camera) for camera, person in permutations.numbers if person in people)
    counts = [permutations.numbers[camera, person].shape[1] for person, camera in keys]
    person, camera = (np.repeat(np.array(column), counts) for column in zip(*keys, strict=True))
    return Labels(
        person=person, camera=camera, infrared=np.isin(camera, list(SYSU_INFRARED_CAMERAS))
    )


def _is_permutation(rows: npt.NDArray[np.int64]) -> bool:
    expected = np.arange(1, rows.shape[-1] + 1)
    return rows.shape[0] == N_TRIALS and bool((np.sort(rows, axis=-1) == expected).all())
