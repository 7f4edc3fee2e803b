"""Whether the logs of a period are whole enough for a check: days without their rows, rows that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from audit_kernel.catalog import Query, is_field, resource_folder
from audit_kernel.errors import NotAssessableError
from audit_kernel.locale import format_date, format_number, format_percent, translator
from audit_kernel.parameters import answer
from audit_kernel.store.tables import LAKE, table_definitions
from audit_kernel.thresholds import thresholds_valid_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from audit_kernel.catalog import EventTable
    from audit_kernel.site import Site

# A log feeds a table when its mapping says so, or when rows of it stand there.
SOURCES = """
with drawn_on as (
    select source_id from event_counts
    where
        event_table in (select unnest($tables))
        and hour_at > $start_at - $comparison_weeks * interval '7' day - interval '1' hour and hour_at < $end_at
    union
    select source_id from sources where event_table in (select unnest($tables))
)
select source_id, coalesce(running_number, false) as has_numbers from drawn_on left join sources using (source_id)
"""
TOLERANCES = {"incomplete_days_tolerated": "integer", "missing_rows_tolerated": "decimal"}
MOST_RANGES = 6
Kind = Literal["silent", "low", "missing", "quarantined", "field"]
ODD_DAYS: tuple[Kind, ...] = ("silent", "low")


@dataclass(frozen=True)
class Lack:
    """What one log lacks in a period.

    Attributes
    ----------
    source_id: the log; for a field the table it stands in.
    kind: days without rows (silent) or with far too few (low); records missing in the running number, or in quarantine;
        a field that no row of the period has a value in.
    days: the local days, ascending.
    n_records, share, tolerated: records, their share of all that there should be, and the share that may be missing.
    ranges: missing numbers, the largest gaps first, as first and last.
    """

    source_id: str
    kind: Kind
    days: tuple[date, ...] = ()
    n_records: int = 0
    share: Decimal = Decimal(0)
    tolerated: Decimal = Decimal(0)
    ranges: tuple[tuple[str, str], ...] = ()
    field: str = ""


def refuse_incomplete_logs(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    query: Query,
    bound: Mapping[str, Any],
    day: date,
    known: dict[tuple[object, ...], tuple[Lack, ...]],
) -> None:
    """Refuse to call a period free of findings whose rows are missing.

    Parameters
    ----------
    bound: `start_at`, `end_at` and `public_holidays`; a side that is open cannot be judged.
    day: the thresholds valid on this day count.
    known: what was found before over the same snapshot; what is found now is added.

    Raises
    ------
    NotAssessableError: a log that the check draws on lacks days or rows of the period, more than is tolerated.
    """
    if bound["start_at"] is None or bound["end_at"] is None:
        return
    if found := tuple(unfilled(connection, query.description.needs, bound)):
        raise NotAssessableError(query.name, found[0].source_id, lacks=found)
    if not query.complete:
        return
    valid = thresholds_valid_on(day, site.folder)
    decided = {name: valid[name].value for name in threshold_names()}
    key = (query.complete, bound["start_at"], bound["end_at"], *sorted(decided.items()))
    if key not in known:
        known[key] = lacks(connection, query.complete, {**bound, **decided})
    if found := known[key]:
        raise NotAssessableError(query.name, query.complete[0], lacks=found)


def unfilled(connection: duckdb.DuckDBPyConnection, needs: Iterable[str], bound: Mapping[str, Any]) -> Iterator[Lack]:
    """Give each needed field, written `accesses.country`, that no row of the period has a value in.

    Of several, joined by `|`, one is enough.
    """
    for need in filter(is_field, needs):
        fields = [each.split(".", 1) for each in need.split("|")]
        empty = [(table, column) for table, column in fields if not _is_filled(connection, table, column, bound)]
        if len(empty) == len(fields):
            yield from (Lack(table, "field", field=column) for table, column in empty)


def _is_filled(connection: duckdb.DuckDBPyConnection, table: str, column: str, bound: Mapping[str, Any]) -> bool:
    stored = table_definitions()[table].stored_names(table)[0]
    sql = (
        f'select 1 from {LAKE}."{stored}" where recorded_at >= $start_at and recorded_at < $end_at'
        f' and "{column}" is not null limit 1'
    )
    return bool(_rows(connection, sql, bound))


def holidays_around(site: Site, query: Query, start_at: datetime | None, end_at: datetime | None) -> list[date]:
    """Return the public holidays of a period and of the year before it, for a query that compares days."""
    from audit_kernel.store.local_time import public_holidays

    if start_at is None or end_at is None:
        return []
    if not (query.complete or query.steps or "$public_holidays" in query.sql):
        return []
    return public_holidays(site.settings.country, start_at.year - 1, end_at.year + 1)


def threshold_names() -> tuple[str, ...]:
    """Return the thresholds that decide whether a period is whole enough."""
    return tuple(threshold_types())


def threshold_types() -> dict[str, str]:
    """Return these thresholds, each with the type of its value."""
    compared = _query("expected_rows").description.parameters
    return {name: str(each.type) for name, each in compared.items() if each.threshold} | TOLERANCES


def lacks(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[EventTable], bound: Mapping[str, Any]
) -> tuple[Lack, ...]:
    """Return what makes the period too incomplete for a check of these event tables; nothing when it is whole enough.

    Parameters
    ----------
    bound: `start_at`, `end_at`, `public_holidays`, and each of `threshold_names`.
    """
    logs = _rows(connection, SOURCES, {**bound, "tables": list(tables)})
    drawn_on = {row["source_id"] for row in logs}
    # Where no running number is missing, few rows were a quiet day: nothing can have been lost.
    numbered = {row["source_id"] for row in logs if row["has_numbers"]}
    days = [row for row in _rows(connection, _query("expected_rows").sql, bound) if row["source_id"] in drawn_on]
    found: list[Lack] = []
    for source_id in sorted({row["source_id"] for row in days}):
        of_source = [row for row in days if row["source_id"] == source_id]
        odd = [
            Lack(source_id, kind, tuple(row["local_date"] for row in of_source if row["status"] == kind))
            for kind in ODD_DAYS
            if kind == "silent" or source_id not in numbered
        ]
        if sum(len(each.days) for each in odd) > int(bound["incomplete_days_tolerated"]):
            found += [each for each in odd if each.days]
    tolerated = Decimal(str(bound["missing_rows_tolerated"]))
    for row in _rows(connection, _query("coverage").sql, bound):
        # A quarantined record leaves a gap in the running number: the larger figure holds the smaller.
        n_records = max(row["n_missing_numbers"], row["n_quarantined"])
        share = Decimal(n_records) / max(row["n_rows"] + n_records, 1)
        if row["source_id"] in drawn_on and share > tolerated:
            is_missing = row["n_missing_numbers"] >= row["n_quarantined"]
            ranges = _largest_gaps(connection, row["source_id"], bound) if is_missing else ()
            kind: Kind = "missing" if is_missing else "quarantined"
            found.append(Lack(row["source_id"], kind, (), n_records, share, tolerated, ranges))
    return tuple(found)


def _largest_gaps(
    connection: duckdb.DuckDBPyConnection, source_id: str, bound: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    gaps = [row for row in _rows(connection, _query("missing_numbers").sql, bound) if row["source_id"] == source_id]
    largest = sorted(gaps, key=lambda row: (-row["n_missing"], row["after_at"], row["first_missing"]))
    return tuple((row["first_missing"], row["last_missing"]) for row in largest if row["n_missing"])


def _query(name: str) -> Query:
    return Query(name, "reports", resource_folder("sql") / "reports" / f"{name}.sql")


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, bound: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = answer(connection, sql, bound).to_arrow_table().to_pylist()
    return rows


def sentences(found: Iterable[Lack], language: str) -> list[str]:
    """Return a sentence for each lack: which log, which days or numbers, and how much is tolerated."""
    _ = translator(language)
    said = []
    for each in found:
        texts = {
            "silent": _.plural(
                "The log {source} delivered nothing on {count} day: {days}.",
                "The log {source} delivered nothing on {count} days: {days}.",
                len(each.days),
            ),
            "low": _.plural(
                "The log {source} delivered far fewer rows than expected on {count} day: {days}.",
                "The log {source} delivered far fewer rows than expected on {count} days: {days}.",
                len(each.days),
            ),
            "missing": _(
                "In the log {source} {count} running numbers are missing, {share} of its rows, where at most"
                " {tolerated} is tolerated: {ranges}."
            ),
            "field": _("No row of the period says it: the field {field} of {source} is empty everywhere."),
            "quarantined": _(
                "Of the log {source} {count} records are in quarantine, {share} of its records, where at most"
                " {tolerated} is tolerated."
            ),
        }
        said.append(
            texts[each.kind].format(
                source=each.source_id,
                field=each.field,
                count=format_number(len(each.days) or each.n_records, language),
                days=_some([_span(*span, language) for span in spans(each.days)], language),
                share=format_percent(each.share, language),
                tolerated=format_percent(each.tolerated, language),
                ranges=_some([" \N{EN DASH} ".join(dict.fromkeys(pair)) for pair in each.ranges], language),
            )
        )
    return said


def spans(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return first and last of each run of neighbouring days; days ascend."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _span(first: date, last: date, language: str) -> str:
    texts = [format_date(day, language) for day in (first, last)]
    return " \N{EN DASH} ".join(dict.fromkeys(texts))


def _some(texts: Sequence[str], language: str) -> str:
    """Join the first ones, and say that there are more."""
    _ = translator(language)
    shown = ", ".join(texts[:MOST_RANGES])
    if len(texts) <= MOST_RANGES:
        return shown
    more = format_number(len(texts) - MOST_RANGES, language)
    return _("{shown} and {count} more").format(shown=shown, count=more)
