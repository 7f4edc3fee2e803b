"""What a site forgets to register, or registers late: rows of reference files that are missing or begin too late."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from audit_kernel.demo.settings import stream

if TYPE_CHECKING:
    from audit_kernel.demo.settings import Calendar

    Row = tuple[object, ...]

# which files have gaps; lists of people, units and identifiers are kept by the systems themselves and have none
KINDS = (
    "appointments",
    "approved_travel",
    "care_teams",
    "delegations",
    "households",
    "referrals",
    "relations",
    "shifts",
)
LATE_ONLY = "unit_assignments"  # a booking always comes, often after its first days
LATE_BOOKINGS = 3  # times as often as another row
LATE_DAYS = (2, 8)


def with_gaps(seed: int, calendar: Calendar, kind: str, header: str, rows: list[Row], share: float) -> list[Row]:
    """Return the rows without those that are missing; of rows that begin in the period, half come late instead.

    Parameters
    ----------
    share: of the rows that are missing or late, 0 to 1.
    """
    if kind != LATE_ONLY and kind not in KINDS:
        return rows
    draws = stream(seed, f"gaps {kind}")
    names = header.split()
    start = names.index("valid_from") if "valid_from" in names else None
    share = min(1.0, share * LATE_BOOKINGS) if kind == LATE_ONLY else share
    kept: list[Row] = []
    for row in rows:
        if draws.random() >= share:
            kept.append(row)
            continue
        late = None if start is None else _late(row[start], row[start + 1], calendar, int(draws.integers(*LATE_DAYS)))
        if start is not None and late and (kind == LATE_ONLY or draws.random() < 0.5):  # noqa: PLR2004 - one in two
            kept.append((*row[:start], late, *row[start + 1 :]))
        elif kind == LATE_ONLY:
            kept.append(row)
    return kept


def _late(first: object, last: object, calendar: Calendar, days: int) -> str | None:
    """Return the later first day; None where the row does not begin in the period, or would be over before."""
    if not isinstance(first, str) or date.fromisoformat(first) < calendar.start:
        return None
    later = (date.fromisoformat(first) + timedelta(days=days)).isoformat()
    return later if last is None or later < str(last) else None
