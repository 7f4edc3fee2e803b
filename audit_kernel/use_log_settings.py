"""Settings of the use log: who the operating system's users are, and where else each line goes."""

from __future__ import annotations

import re
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, field_validator

# 26/1234, 2026/17, 2026-00123; neither a month (2026-10) nor a part of a personal number
CASE_NUMBER = r"(?<![0-9])(?:[0-9]{2,4} ?/ ?[0-9]{1,7}|(?:19|20)[0-9]{2}-[0-9]{3,7})(?![0-9])"


class KnownUser(BaseModel):
    """A user of the operating system who is an employee."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str = Field(min_length=1, max_length=100, description="as the operating system names them")
    employee: str = Field(min_length=1, max_length=100, description="their employee_id")


class UseLogSettings(BaseModel):
    """Whose the users are, and the system log that gets each line too: a socket such as /dev/log, or HOST:PORT.

    `case_number` is the regular expression that a purpose with a case number holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    users: tuple[KnownUser, ...] = ()
    syslog: str = Field(default="", pattern=r"^(|/[^\x00]+|[A-Za-z0-9.\-]+:[0-9]{1,5}|\[[0-9A-Fa-f:]+\]:[0-9]{1,5})$")

    case_number: str = Field(default=CASE_NUMBER, max_length=200, description="what a case number looks like")

    @field_validator("case_number")
    @classmethod
    def _is_an_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            message = "a regular expression"
            raise ValueError(message) from error
        return value

    @cached_property
    def employees(self) -> dict[str, str]:
        """The employee_id of each user who is known."""
        return {each.user: each.employee for each in self.users}
