"""Where a verb sits: at a site and its database, with whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.cli.options import name_operator, read_config
from pipeline.config import SiteConfig
from storage.database import Database, open_database
from streams.clock import SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an operator who decides has before them.

    Attributes:
        by: The operator's name.
    """

    site: SiteConfig
    database: Database
    by: str
    now_us: int


def open_site(site: SiteConfig, *, create: bool = False) -> Database:
    """The site's database; `create` makes it where there is none."""
    return open_database(site.storage.database.get_secret_value(), create=create)


@contextmanager
def desk(config: Path, operator: str | None, *, create: bool = False) -> Iterator[Desk]:
    """The site of a configuration, its database open, and who decides what now.

    Args:
        operator: As given by `--as`.
        create: Make the database where there is none.

    Raises:
        UsageInvalid: Nobody knows who decides.
    """
    site, by = read_config(config), name_operator(operator)
    with open_site(site, create=create) as database:
        yield Desk(site=site, database=database, by=by, now_us=SystemClock().now_us())
