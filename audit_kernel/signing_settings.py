"""Who signs and who stamps the time: the sections `signing` and `timestamp` of a site's settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

AUTHORITY_FILE = "keys/timestamp-authority.pem"


class SigningSettings(BaseModel):
    """An outside signer: program and arguments, called with the bytes on its input; empty: the key file signs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...] = ()


class TimestampSettings(BaseModel):
    """An authority for time stamps (RFC 3161): its address, or a program that carries the request to it.

    certificate: the certificates of the authority that its stamps are checked with, PEM, relative to the site.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(default="", pattern=r"^(https://[^\s]{1,500})?$")
    command: tuple[str, ...] = ()
    certificate: str = Field(default=AUTHORITY_FILE, min_length=1)

    @property
    def is_used(self) -> bool:
        """Whether runs are stamped."""
        return bool(self.address or self.command)

    @model_validator(mode="after")
    def _one_way(self) -> TimestampSettings:
        if self.address and self.command:
            message = "address or command, not both"
            raise ValueError(message)
        return self
