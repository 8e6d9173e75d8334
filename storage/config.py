"""Settings of remembering."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from storage.address import expand, read_address
from streams.config import Section


class StorageConfig(Section):
    """Where sightings, identities and their evidence are kept."""

    database: Annotated[
        SecretStr,
        Field(
            description="sqlite:///FILE on a local disk, or postgresql://USER:PASSWORD@HOST/NAME; "
            "${NAME} is taken from the environment, and percent-encoded inside USER:PASSWORD@."
        ),
    ] = SecretStr("sqlite:///site/noctule.db")
    evidence: Annotated[
        Path, Field(description="Folder of the crops that prove a sighting; made when missing.")
    ] = Path("site/evidence")
    reserve_mb: Annotated[
        int, Field(ge=0, le=10_000_000, description="Disk space never to be filled, megabytes.")
    ] = 500

    connections: Annotated[
        int, Field(ge=2, le=100, description="To a PostgreSQL server at most, per process.")
    ] = 5
    spool: Annotated[
        Path,
        Field(description="Folder of visits that wait while the database does not answer."),
    ] = Path("site/spool")
    spool_mb: Annotated[
        int,
        Field(ge=1, le=10_000_000, description="Most that may wait there, megabytes."),
    ] = 2000

    index: Annotated[
        Path | None,
        Field(
            description="Folder of what makes search quick, made from the database when missing; "
            "null: beside a SQLite file, else beside the evidence folder."
        ),
    ] = None

    @property
    def index_folder(self) -> Path:
        """Where the vector indexes of this database are."""
        if self.index is not None:
            return self.index
        file = read_address(self.database.get_secret_value()).file
        if file is not None:
            return file.with_name(f"{file.name}.index")
        return self.evidence.parent / "index"

    @field_validator("database")
    @classmethod
    def _fill_in_variables(cls, url: SecretStr) -> SecretStr:
        return SecretStr(expand(url.get_secret_value()))
