"""Settings of seeing, and the `Section` that all rooms' settings are made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One block of `config.yaml`: frozen, closed, every field with unit and description."""

    model_config = ConfigDict(frozen=True, extra="forbid")
