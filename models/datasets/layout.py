"""What official layouts have in common: parts that must be there, lists of ids and of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.datasets.types import PICTURE_SUFFIXES
from streams.errors import SourceUnreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a dataset looks like on disk and where it comes from.

    Attributes:
        wanted: Files and folders below the dataset's folder that must be there.
        how_to_get: Lawfully, a sentence.
        terms: As in `Dataset`.
    """

    name: str
    wanted: tuple[str, ...]
    how_to_get: str
    terms: str = ""

    def missing(self, folder: Path) -> list[str]:
        """Wanted files and folders that are not there."""
        return [name for name in self.wanted if not (folder / name).exists()]


def require(folder: Path, layout: Layout) -> None:
    """Refuses an incomplete dataset.

    Raises:
        SourceUnreadable: Something that the layout wants is missing.
    """
    missing = layout.missing(folder)
    if missing:
        raise SourceUnreadable(
            f"{folder}: expected {layout.name}, {', '.join(missing)} missing; how to get it: "
            f"{layout.how_to_get}"
        )


def pictures_in(folder: Path) -> list[Path]:
    """Pictures directly in a folder, by name; none if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)


def read_ids(path: Path) -> list[int]:
    """Ids of a file with one line of numbers separated by commas.

    Raises:
        SourceUnreadable: It holds something else.
    """
    try:
        return [int(word) for word in path.read_text(encoding="utf-8").replace(",", " ").split()]
    except (OSError, ValueError) as error:
        raise SourceUnreadable(f"{path}: expected ids separated by commas ({error})") from error


def read_list(path: Path, folder: Path) -> list[Path]:
    """Files of a list with one `PATH LABEL` a line, paths relative to the dataset's folder.

    Raises:
        SourceUnreadable: The list cannot be read or names a file that is not there.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnreadable(f"{path}: expected a list of pictures ({error})") from error
    files = [folder / line.rsplit(" ", 1)[0] for line in lines if line.strip()]
    absent = [file for file in files if not file.is_file()]
    if absent:
        raise SourceUnreadable(
            f"{path}: {len(absent)} of {len(files)} pictures that it names are missing, "
            f"first {absent[0]}; unpack the dataset again"
        )
    return files
