"""What a drafted mapping leaves to a person: a question mark in place of the value. Such a mapping takes nothing in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNDECIDED = "?"


def undecided_keys(values: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - any YAML
    """Give the path of each key that is still a question mark."""
    if values == UNDECIDED:
        yield place
    elif isinstance(values, Mapping):
        for key, inner in values.items():
            yield from undecided_keys(inner, (*place, str(key)))


def refuse_undecided(path: Path, values: Any) -> None:  # noqa: ANN401 - any YAML
    """Refuse a mapping that nobody has completed.

    Raises
    ------
    SettingsError: names the file, the first such key and how many there are.
    """
    keys = list(undecided_keys(values))
    if keys:
        raise SettingsError(
            "{path}: key {key!r} is not decided yet (undecided in all: {count}).",
            "Write what holds in place of each question mark; the comments in the file say what is asked.",
            path=path,
            key=".".join(keys[0]),
            count=len(keys),
        )
