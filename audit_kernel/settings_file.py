"""Writes where a store lies into `settings.yml`, leaving a person's other lines and remarks as they are."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from audit_kernel.errors import SettingsError
from audit_kernel.files import replace_whole
from audit_kernel.site import SETTINGS_FILE, read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.site import Site

MARK = re.compile(r"\s*(catalogue|files)\s*:")


def write_settings(target: Site) -> None:
    """Write where the store lies into `settings.yml`, its other lines as they are.

    Raises
    ------
    SettingsError: the file's own layout hinders it; it is unchanged, and the operator writes the lines.
    """
    path = target.folder / SETTINGS_FILE
    store = target.settings.store
    places = {"catalogue": store.catalogue, "files": store.files}
    lines = [f"    {key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in places.items()]
    text = path.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines(keepends=True) if not MARK.match(line)]
    place = next((number for number, line in enumerate(kept) if line.startswith("store:")), None)
    if place is None:
        kept += ["store:\n"]
        place = len(kept) - 1
    aside = path.with_name(f".{SETTINGS_FILE}.moved")
    new = "".join([*kept[: place + 1], *lines, *kept[place + 1 :]]).encode()
    try:
        replace_whole(aside, new)
        if read_settings(aside) != target.settings:
            raise by_hand(path)
        replace_whole(path, new, path.stat().st_mode & 0o777)
    except SettingsError:
        raise by_hand(path) from None
    finally:
        aside.unlink(missing_ok=True)


def by_hand(path: Path) -> SettingsError:
    """Return the sentence for settings that a person must change."""
    return SettingsError(
        "The store was copied, but {path} could not be changed.",
        "Write the new `catalogue` and `files` under `store:` yourself; until then the old store is used.",
        path=path,
    )
