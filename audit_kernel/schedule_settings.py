"""When months are run by themselves, and who is told when one fails: `schedule` and `alarm` of a site's settings."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from audit_kernel.errors import Phrase
from audit_kernel.yaml_file import UnshownValueError

ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
HOST = re.compile(r"[A-Za-z0-9._:-]*")


def plain_address(value: str) -> str:
    """Return an e-mail address, or an empty text.

    Raises
    ------
    UnshownValueError: it is more than a plain address.
    """
    if value and not ADDRESS.fullmatch(value):
        raise UnshownValueError(Phrase("a plain e-mail address, for example it@example.no"))
    return value


class ScheduleSettings(BaseModel):
    """Which months `due` looks at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_month: str = Field(default="", pattern=r"^([0-9]{4}-(0[1-9]|1[0-2]))?$", description="the first to run")
    days_to_wait: int = Field(default=5, ge=0, le=60, description="days after a month's end, for late exports")


class AlarmSettings(BaseModel):
    """Where an alarm goes. No secret stands here: a password or a webhook's address lies in `keys/`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["", "email", "webhook"] = Field(default="", description="how; empty: nobody is told")
    host: str = Field(default="", description="the mail server")
    port: int = Field(default=587, ge=1, le=65535, description="its port")
    encryption: Literal["starttls", "tls", "none"] = Field(default="starttls", description="none: this machine only")
    user: str = Field(default="", description="who logs in there; empty: nobody")
    sender: str = Field(default="", description="the sender's address")
    recipients: tuple[str, ...] = Field(default=(), description="the addresses that are written to")

    @field_validator("sender", "recipients")
    @classmethod
    def _are_plain_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, str):
            return plain_address(value)
        if not all(value):
            raise UnshownValueError(Phrase("a plain e-mail address, for example it@example.no"))
        return tuple(map(plain_address, value))

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        if not HOST.fullmatch(value):
            raise UnshownValueError(Phrase("a host's name or address, for example smtp.example.no"))
        return value
