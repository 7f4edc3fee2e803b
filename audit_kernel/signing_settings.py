"""Who signs and who stamps the time: the sections `signing` and `timestamp` of a site's settings."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audit_kernel.errors import Phrase
from audit_kernel.yaml_file import UnshownValueError

AUTHORITY_FILE = "keys/timestamp-authority.pem"
ADDRESS = re.compile(r"https://[^\s/]\S{0,499}")


class SigningSettings(BaseModel):
    """An outside signer: program and arguments, called with the bytes on its input; empty: the key file signs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...] = ()


class TimestampSettings(BaseModel):
    """An authority for time stamps (RFC 3161): its address, or a program that carries the request to it.

    certificate: the certificates of the authority that its stamps are checked with, PEM, relative to the site.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = ""
    command: tuple[str, ...] = ()
    certificate: str = Field(default=AUTHORITY_FILE, min_length=1)

    @property
    def is_used(self) -> bool:
        """Whether runs are stamped."""
        return bool(self.address or self.command)

    @model_validator(mode="after")
    def _one_way(self) -> TimestampSettings:
        if self.address and (self.command or not ADDRESS.fullmatch(self.address)):
            raise UnshownValueError(Phrase("an address that begins with https://, or a command, not both"))
        return self
