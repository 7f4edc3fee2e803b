"""What a period lacks, in words: days without rows, gaps, uncertain hours, records and files that could not be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from audit_kernel.errors import NotAssessableError
from audit_kernel.locale import format_date, format_number, translator
from audit_kernel.parameters import PERIOD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from audit_kernel.query import Result
    from audit_kernel.store.ledger import Delivery

QUERY = "reports/coverage"
REFERENCE = "reference:"
Lacking = list[dict[str, Any]]


class Reports(Protocol):
    """A store, as far as it answers catalogued questions."""

    def report(self, name: str, **parameters: Any) -> Result:  # noqa: ANN401 - typed by the query's `.yml`
        """Run a catalogued query."""


def coverage(store: Reports, parameters: Mapping[str, object]) -> Lacking:
    """Return what the period lacks, a row of `coverage.sql` for each log; nothing where no whole period was asked."""
    period = {name: parameters.get(name) for name in PERIOD}
    if not all(period.values()):
        return []
    try:
        result: Result = store.report(QUERY, **period)
    except NotAssessableError:  # nothing was taken in at all, which the page says by itself
        return []
    rows: Lacking = result.table.to_pylist()
    return rows


def notices(lacking: Lacking, language: str) -> list[str]:
    """Return a sentence for each log's silent days, and one for each other figure that is not zero."""
    _ = translator(language)
    totals = {name: sum(int(row[name]) for row in lacking) for name in ("n_odd_hours", "n_quarantined")}
    texts = {
        "n_odd_hours": _.plural(
            "{count} row lies in an hour that the change of clocks doubles or skips: its time is uncertain.",
            "{count} rows lie in an hour that the change of clocks doubles or skips: their time is uncertain.",
            totals["n_odd_hours"],
        ),
        "n_quarantined": _.plural(
            "{count} record of the period's files could not be read and is in quarantine; no page shows it.",
            "{count} records of the period's files could not be read and are in quarantine; no page shows them.",
            totals["n_quarantined"],
        ),
    }
    said = [text.format(count=format_number(totals[name], language)) for name, text in texts.items() if totals[name]]
    return [*serious(lacking, language), *said]


def serious(lacking: Lacking, language: str) -> list[str]:
    """Return the sentences that make a month incomplete: days and numbers that the logs do not hold."""
    _ = translator(language)
    missing = sum(int(row["n_missing_numbers"]) for row in lacking)
    said = [
        _.plural(
            "On {count} day of the period the log {source} delivered nothing: what happened then could not be"
            " assessed.",
            "On {count} days of the period the log {source} delivered nothing: what happened then could not be"
            " assessed.",
            row["n_silent_days"],
        ).format(count=format_number(row["n_silent_days"], language), source=row["source_id"])
        for row in lacking
        if row["n_silent_days"]
    ]
    text = _.plural(
        "{count} running number is missing in the period's logs: its row could not be assessed.",
        "{count} running numbers are missing in the period's logs: their rows could not be assessed.",
        missing,
    )
    return [*said, *([text.format(count=format_number(missing, language))] if missing else [])]


def early_end(deliveries: Sequence[Delivery], last_day: date, time_zone: str, language: str) -> list[str]:
    """Say that the logs end before the period does; this rests on the logs alone, not on today's date."""
    _ = translator(language)
    ends = [each.last_at for each in deliveries if each.last_at and not each.source_id.startswith(REFERENCE)]
    if not ends:
        return []
    last = max(ends).replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()
    if last >= last_day:
        return []
    text = _("The log ends on {date}, before the month's end: the days after it could not be assessed.")
    return [text.format(date=format_date(last, language))]


def never_taken_in(
    refused: Sequence[Mapping[str, str]], deliveries: Sequence[Delivery], time_zone: str, language: str
) -> list[str]:
    """Say which files were refused and not taken in under the same name as the same log since, each with its last day.

    Parameters
    ----------
    refused: as `refused_files` returns them, oldest first.
    """
    _ = translator(language)
    missing = [
        f"{name} ({format_date(at.astimezone(ZoneInfo(time_zone)).date(), language)})"
        for name, _source_id, at in missing_files(refused, deliveries)
    ]
    if not missing:
        return []
    text = _.plural(
        "{count} file was refused and never taken in: {names}.",
        "{count} files were refused and never taken in: {names}.",
        len(missing),
    )
    return [text.format(count=format_number(len(missing), language), names=", ".join(missing))]


def missing_files(
    refused: Sequence[Mapping[str, str]], deliveries: Sequence[Delivery]
) -> list[tuple[str, str, datetime]]:
    """Return name, log and last refusal of each file that was refused and not taken in since; see `never_taken_in`."""
    taken_in = {
        (each.file_name, each.source_id): each.taken_in_at for each in deliveries
    }  # the newest, they are sorted
    last = {(each["file"], each["source_id"]): datetime.fromisoformat(each["at"]) for each in refused}
    return [
        (name, source_id, at)
        for (name, source_id), at in sorted(last.items())
        if (since := taken_in.get((name, source_id))) is None or since.replace(tzinfo=UTC) < at
    ]
