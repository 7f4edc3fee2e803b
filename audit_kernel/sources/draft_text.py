"""A drafted mapping as its YAML file, with comments that say what a person must decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.evidence.harmless import harmless
from audit_kernel.files import write_new
from audit_kernel.locale import translator
from audit_kernel.sources.columns import DECIDED
from audit_kernel.sources.draft import mappable
from audit_kernel.sources.undecided import UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from audit_kernel.locale import Translator
    from audit_kernel.sources.draft import Draft

WIDEST = 1_000_000


def draft_text(draft: Draft, language: str) -> str:
    """Return the mapping's file, its comments in the language. No text of the log stands in a comment."""
    _ = translator(language)
    mapping = draft.mapping()
    comments = _comments(draft, language)
    lines = [f"# {line}" for line in _heading(draft, language)]
    for key, value in mapping.items():
        if key != "columns":
            comment = f"   # {comments[key]}" if key in comments else ""
            lines.append(f"{_inline({key: value})}{comment}")
            continue
        lines.append(f"columns:   # {comments[key]}")
        lines += [f"  {_inline({name: column})}{_mark(column, _)}" for name, column in value.items()]
    return "\n".join(lines) + "\n"


def write_draft(draft: Draft, folders: Sequence[Path], language: str) -> Path:
    """Write the draft into the site's `parameters/sources`, readable by its owner only; return its path.

    Parameters
    ----------
    folders: where mappings lie, the site's own last.

    Raises
    ------
    UsageError: a mapping of that name is there already; nothing was written.
    SettingsError: the folder cannot be written.
    """
    path = folders[-1] / f"{draft.source_id}.yml"
    if any((folder / path.name).exists() for folder in folders):
        raise _exists(draft.source_id)
    try:
        write_new(path, draft_text(draft, language).encode("utf-8"))
    except FileExistsError:
        raise _exists(draft.source_id) from None
    except OSError as error:
        raise SettingsError(
            "{path} cannot be written ({cause}).",
            "Check free disk space and the folder's permissions.",
            path=path,
            cause=error.strerror,
        ) from None
    return path


def _exists(source_id: str) -> UsageError:
    return UsageError(
        "There is a mapping {source_id!r} already; it was not touched.",
        "Give the new one another name, or edit the one there is.",
        source_id=source_id,
    )


def _heading(draft: Draft, language: str) -> list[str]:
    _ = translator(language)
    said = [
        _("A draft made from the file's header and first rows. A suggestion is no knowledge: check every line."),
        _('Decide every "?"; until then no file is taken in by this mapping.'),
    ]
    if draft.format == "delimited":
        said.append(
            _('Where a column may go ("to"): {targets}').format(targets=", ".join(sorted(mappable(draft.table))))
        )
        said.append(_('A column that is not to be stored: delete its "to" and leave the braces.'))
        said += [
            _('"values" of {target} may be: {allowed}').format(target=target, allowed=", ".join(allowed))
            for target, allowed in DECIDED[draft.table].items()
        ]
    return said


def _comments(draft: Draft, language: str) -> dict[str, str]:
    _ = translator(language)
    said = {
        "title": _("what pages call this log"),
        "time_zone": _("of times without offset: ask the system's owner"),
        "expects_rows_daily": _("true where a day without rows is a fault, else false"),
        "own_event_id": _("true where the log has an id of its own"),
        "running_number": _("true where that id counts up by one, so that a gap is a missing row"),
    }
    if draft.format == "delimited":
        said["table"] = _("accesses, authentications (log-ins) or medication_events (controlled drugs)")
        said["encodings"] = _("tried in this order")
        said["columns"] = _("every column of the file, in the file's order")
    return said


def _mark(column: Mapping[str, Any], _: Translator) -> str:
    values = column.get("values", {})
    if UNDECIDED in (column.get("to"), column.get("format")) or UNDECIDED in values.values():
        return "   # " + _("decide")
    return ""


def _inline(value: dict[str, Any]) -> str:
    """One key with its value on one line; what disguises text stands as an escape."""
    parts = [f"{_scalar(key)}: {_flow(inner)}" for key, inner in value.items()]
    return parts[0]


def _flow(value: Any) -> str:  # noqa: ANN401 - a part of a mapping
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: str | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    is_plain = harmless(value) == value and value.isprintable()
    # Inside a list: there the writer quotes what would end a value in braces.
    text = str(yaml.safe_dump([value], default_flow_style=True, allow_unicode=is_plain, width=WIDEST))
    return text.strip().removeprefix("[").removesuffix("]")
