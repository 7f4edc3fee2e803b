"""The columns of a mapping: where each value goes, and what a mapping may say."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from audit_kernel.sources.dictionary import Action
from audit_kernel.store.tables import table_definitions

ColumnType = Literal["text", "integer", "date", "time", "timestamp", "personal_number"]
# Made at intake from other columns or from the file, never by a mapping.
NOT_MAPPABLE = frozenset(
    [
        "source_id",
        "item",
        "record_hash",
        "file_id",
        "line_number",
        "recorded_at",
        "local_date",
        "local_hour",
        "local_weekday",
        "is_holiday",
        "time_flag",
        "flags",
    ]
)
# What these hold is decided once, so a mapping says which of its log's values means which.
DECIDED: dict[str, dict[str, tuple[str, ...]]] = {
    "accesses": {
        "action": get_args(Action),
        "outcome": ("success", "denied", "failed", "unknown"),
        "is_break_glass": ("true", "false"),
        "is_blocked": ("true", "false"),
    },
    "authentications": {
        "kind": ("login", "logout", "failure", "lockout", "unlock", "password_change", "log_cleared", "other"),
    },
    "medication_events": {"kind": ("withdrawal", "administration", "waste", "return", "transfer", "count")},
}
TIME_PARTS = ("recorded_date", "recorded_time", "recorded_timestamp")


class Strict(BaseModel):
    """A part of a mapping; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnMapping(Strict):
    """One column of the file: where its value goes, its type and whether it must have a value.

    `to` is empty for a column that is read and hashed but not stored. `format` is that of strptime. `values` says what
    each value of the log is stored as, "" being the empty one; a record with another value goes to quarantine. `empty`
    lists what the log writes for "no value", a dash, say. A file of reference data may lack an `optional` column.
    """

    to: str = ""
    type: ColumnType = "text"
    format: str = ""
    required: bool = False
    optional: bool = False
    empty: tuple[str, ...] = ()
    values: dict[str, str] = Field(default_factory=dict)


def check_columns(columns: dict[str, ColumnMapping], table: str, *, own_event_id: bool) -> None:
    """Raise ValueError, in words for the mapping's author, where the columns of a log are not complete."""
    allowed = frozenset(table_definitions()[table].columns) - NOT_MAPPABLE | set(TIME_PARTS)
    if len(columns) < 2:  # noqa: PLR2004 - a blank line is told from a record by its delimiter
        message = "`columns` needs two columns or more"
        raise ValueError(message)
    check_targets(columns, allowed)
    if any(mapping.optional for mapping in columns.values()):
        message = "`optional` is allowed for reference data only"
        raise ValueError(message)
    by_target = {mapping.to: mapping for mapping in columns.values()}
    has_parts = "recorded_date" in by_target and "recorded_time" in by_target
    if has_parts == ("recorded_timestamp" in by_target):
        message = "`columns` must give recorded_timestamp, or recorded_date and recorded_time"
        raise ValueError(message)
    for target in TIME_PARTS:
        if target in by_target and not by_target[target].format:
            message = f"the column that goes to {target} needs a `format`"
            raise ValueError(message)
    _check_values(by_target, table)
    if own_event_id != ("event_id" in by_target):
        message = "`own_event_id: true` and a column that goes to event_id belong together"
        raise ValueError(message)


def _check_values(by_target: dict[str, ColumnMapping], table: str) -> None:
    columns = table_definitions()[table].columns
    for target, allowed in DECIDED[table].items():
        if (mapping := by_target.get(target)) is None:
            continue
        if not mapping.values:
            message = f"the column that goes to {target} needs `values`: what each value of the log means"
            raise ValueError(message)
        if wrong := sorted(set(mapping.values.values()) - set(allowed)):
            message = f"`values` of the column that goes to {target} may be {', '.join(allowed)}, not {wrong[0]}"
            raise ValueError(message)
        if not (mapping.required or "" in mapping.values or columns[target].nullable):
            message = f'the column that goes to {target} needs `required: true`, or `values` with a meaning for ""'
            raise ValueError(message)
    if "kind" in DECIDED[table] and not by_target.get("kind", ColumnMapping()).required:
        message = f"a log of {table} needs a required column that goes to kind"
        raise ValueError(message)


def check_targets(columns: dict[str, ColumnMapping], allowed: frozenset[str]) -> None:
    """Raise ValueError where a column goes to none of the stored columns, or two go to one."""
    targets = [mapping.to for mapping in columns.values() if mapping.to]
    for name, mapping in columns.items():
        if mapping.values and mapping.to not in allowed - set(TIME_PARTS):
            message = f"`values` of column {name} would not be used: it goes to no column that takes them"
            raise ValueError(message)
    for target in targets:
        if target not in allowed:
            message = f"`to: {target}` is not allowed; allowed: {', '.join(sorted(allowed))}"
            raise ValueError(message)
        if targets.count(target) > 1:
            message = f"`to: {target}` stands twice"
            raise ValueError(message)
