"""How the log store is opened and where it lies: the section `store` of a site's settings."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

from audit_kernel.errors import Phrase
from audit_kernel.yaml_file import UnshownValueError

SQLITE = "sqlite"
POSTGRES = "postgres:"
OBJECT_STORE = "s3://"
OWN_FILES = "store/files"
HOSTS = frozenset({"host", "hostaddr"})
WORD = re.compile(r"\s*([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s'\\]+)")
BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.=-]+)*")

# Of libpq's words (https://www.postgresql.org/docs/15/libpq-connect.html), those that hold no secret.
CONNECTION_WORDS = frozenset(
    {
        "application_name",
        "connect_timeout",
        "dbname",
        "gssencmode",
        "host",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "port",
        "service",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "target_session_attrs",
        "user",
    }
)


class StoreSettings(BaseModel):
    """How the log store is opened, and where its catalogue and its files lie."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory_limit: str = Field(default="3GB", pattern=r"^[1-9][0-9]*(MB|GB)$", description="DuckDB's own limit")
    threads: int = Field(default=2, ge=1, le=256, description="threads of one query")
    catalogue: str = Field(default=SQLITE, description="sqlite, or postgres: and libpq's words without a password")
    files: str = Field(default=OWN_FILES, min_length=1, description="a folder, or s3://bucket/prefix")

    @property
    def is_postgres(self) -> bool:
        """Whether the catalogue lies in PostgreSQL."""
        return self.catalogue.startswith(POSTGRES)

    @property
    def is_object_store(self) -> bool:
        """Whether the files lie in an object store."""
        return self.files.startswith(OBJECT_STORE)

    @field_validator("catalogue", mode="before")  # before: pydantic's own mistake would show the value
    @classmethod
    def _is_an_address_without_a_secret(cls, value: object) -> object:
        if value == SQLITE:
            return value
        is_postgres = isinstance(value, str) and value.startswith(POSTGRES)
        words = connection_words(str(value).removeprefix(POSTGRES)) if is_postgres else None
        if not words or not ("service" in words or ("dbname" in words and words.keys() & HOSTS)):
            raise UnshownValueError(Phrase('"sqlite", or "postgres:" and dbname=... host=... user=..., or service=...'))
        if not words.keys() <= CONNECTION_WORDS:
            raise UnshownValueError(
                Phrase("the words that the operating guide lists; a password belongs in keys/postgres.pass")
            )
        return value

    @field_validator("files")
    @classmethod
    def _is_a_folder_or_a_bucket(cls, value: str) -> str:
        value = value.rstrip("/") or value
        if not value.isprintable() or ("://" in value and not BUCKET.fullmatch(value)):
            raise UnshownValueError(
                Phrase("a folder, or s3://bucket/prefix of plain letters, without a key or a question mark")
            )
        return value


def connection_words(text: str) -> dict[str, str] | None:
    """Return libpq's words of a connection string, each value as it stands; None when it is no such string."""
    words: dict[str, str] = {}
    place = 0
    while place < len(text.rstrip()):
        found = WORD.match(text, place)
        if found is None or found[1] in words:
            return None
        words[found[1]] = found[2]
        place = found.end()
    return words
