"""The owner-only files of `keys/` that open what lies on other machines; no error quotes what they hold."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from audit_kernel.errors import KeyFileError, SettingsError
from audit_kernel.yaml_file import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.site import Site

PASSWORDS = "postgres.pass"
OBJECT_STORE_KEY = "object_store.yml"
OTHERS = 0o077


class ObjectStoreKey(BaseModel):
    """Who opens the object store, and where it is: `keys/object_store.yml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_id: str = Field(min_length=1)
    secret: SecretStr
    endpoint: str = Field(default="", pattern=r"^([A-Za-z0-9.-]+(:[0-9]{1,5})?)?$")
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]+$")
    use_ssl: bool = True


def object_store_key(site: Site) -> ObjectStoreKey:
    """Read `keys/object_store.yml`; no error quotes it.

    Raises
    ------
    KeyFileError: it is missing, readable by others, or wrong.
    """
    path = site.keys_folder / OBJECT_STORE_KEY
    refuse_open_key(path)
    try:
        return ObjectStoreKey.model_validate(read_yaml(path))
    except (SettingsError, ValidationError) as error:
        wrong = error.errors()[0]["loc"] if isinstance(error, ValidationError) else ()
        raise KeyFileError(
            "{path} is not the key of an object store (at {key!r}).",
            "Write key_id, secret, and where needed endpoint, region and use_ssl, one on each line.",
            path=path,
            key=".".join(map(str, wrong)),
        ) from None


def refuse_open_key(path: Path) -> None:
    """Refuse a key file that is missing or that others can read.

    Raises
    ------
    KeyFileError
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise KeyFileError(
            "{path} cannot be read ({cause}).",
            "Write it as the operating guide says, and make it readable by its owner only.",
            path=path,
            cause=type(error).__name__,
        ) from None
    if os.name != "nt" and mode & OTHERS:
        raise KeyFileError(
            "{path} can be read by others than its owner (mode {mode:04o}).",
            "Run: chmod 600 {path}; if others may have read it, change what it holds.",
            path=path,
            mode=mode,
        )
