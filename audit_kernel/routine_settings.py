"""Settings of the local routine: who answers for it, and who reviews."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field, field_validator

from audit_kernel.errors import Phrase
from audit_kernel.schedule_settings import plain_address
from audit_kernel.yaml_file import UnshownValueError


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
    user: str = Field(default="", max_length=200, description="user name in the operating system; sees this list only")
    email: str = Field(default="", max_length=200, description="where reminders go; reminders_to when empty")

    _is_plain_address = field_validator("email")(plain_address)


class ReviewSettings(BaseModel):
    """Who reviews, what is reviewed twice, and how long it may take.

    The first of `reviewers` who may takes what no manager can, and rows of staff whose unit is one of `pool_units`.
    With `restrict_reporting_line`, findings about managers and reviewers are kept from the month's ordinary pages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reviewers: tuple[Reviewer, ...] = ()
    pool_units: tuple[str, ...] = ()
    restrict_reporting_line: bool = False
    exclude_nearest_colleagues: bool = Field(default=False, description="nobody reviews their nearest colleague")
    double_share: int = Field(default=10, ge=0, le=100, description="percent of the rows that two review, blind")
    days_to_decide: int = Field(default=14, ge=1, le=365, description="days after which an open row is overdue")
    reminders_to: str = Field(default="", max_length=200, description="where reminders go; empty: they are printed")

    _is_plain_address = field_validator("reminders_to")(plain_address)

    @field_validator("reviewers")
    @classmethod
    def _are_told_apart(cls, value: tuple[Reviewer, ...]) -> tuple[Reviewer, ...]:
        users = [each.user for each in value if each.user]
        if len(set(users)) < len(users):
            raise UnshownValueError(Phrase("each user name once, for one reviewer only"))
        return value
