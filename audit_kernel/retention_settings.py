"""How long evidence is kept, and by whose decision it goes: `retention` of a site's settings."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class RetentionSettings(BaseModel):
    """Nothing is disposed of before the years and the body's own decision are stated, the decision by name and date.

    `cleared_years` is for months in which every finding was decided to be justified; left out, they are kept as long as
    all others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence_years: int | None = Field(default=None, ge=1, le=100, description="years that evidence is kept")
    cleared_years: int | None = Field(default=None, ge=1, le=100, description="years that cleared months are kept")
    disposal_decision: str = Field(default="", max_length=200, description="name or number of the body's decision")
    decided_on: date | None = Field(default=None, description="the decision's date")
