"""Settings of the local routine: who answers for it, and who reviews."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class RoutineSettings(BaseModel):
    """The local routine in force; it stands on every certificate, and what it lacks is called "not stated" there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    version: str = ""
    person_responsible: str = ""
    run_by: str = Field(default="", pattern=r"^$|^[^,]*\S[^,]*,.*\S", description="who runs the months: NAME, TITLE")
    staff_informed_on: date | None = Field(default=None, description="when staff were last informed of log control")
    staff_informed_how: str = Field(default="", max_length=200, description="and how")


class Reviewer(BaseModel):
    """Someone who reviews what no manager can."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=100, description="the reviewer's employee_id")
    name: str = Field(default="", max_length=200, description="the name on the list; the employee's when empty")


class ReviewSettings(BaseModel):
    """Who reviews where no manager can: the first of `reviewers` who is not the person asked about.

    Rows of staff whose unit is one of `pool_units` go there too. With `restrict_reporting_line`, findings about
    managers and reviewers are kept from the month's ordinary pages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reviewers: tuple[Reviewer, ...] = ()
    pool_units: tuple[str, ...] = ()
    restrict_reporting_line: bool = False
