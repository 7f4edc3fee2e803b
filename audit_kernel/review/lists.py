"""One list a reviewer: which rows stand on it and in which words; the journal of decisions knows every list."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel.canonical import canonical_json
from audit_kernel.errors import SettingsError
from audit_kernel.evidence.harmless import harmless
from audit_kernel.locale import format_date, format_number, format_timestamp, translator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from audit_kernel.review.candidates import Candidate, Kind
    from audit_kernel.review.sealed_month import SealedMonth
    from audit_kernel.site import Site

LONGEST_CELL = 500
LIST = "list"


@dataclass(frozen=True)
class ListRow:
    """One row: its number on the list, what it is about, and the cells that the reviewer reads.

    is_second: another reviewer has it too, and decides first; neither is told.
    """

    number: int
    kind: str
    keys: tuple[str, ...]
    cells: tuple[str, ...]
    is_second: bool = False

    @property
    def sha256(self) -> str:
        """SHA-256 of what the reviewer reads, hexadecimal: a changed cell shows when the list comes back."""
        return row_hash(self.number, self.cells)


@dataclass(frozen=True)
class Assigned:
    """A row and who reviews it; `is_second` where another decides first."""

    reviewer_id: str
    row: Candidate
    is_second: bool = False


@dataclass(frozen=True)
class ReviewList:
    """One reviewer's list of a month, made from one sealed run."""

    list_id: str
    month: str
    run: str
    run_sha256: str
    language: str
    reviewer_id: str
    reviewer_name: str
    rows: tuple[ListRow, ...]

    def entry(self) -> dict[str, Any]:
        """Return the line of the journal that makes the list known."""
        rows = [
            {"number": row.number, "kind": row.kind, "keys": list(row.keys), "sha256": row.sha256}
            | ({"is_second": True} if row.is_second else {})
            for row in self.rows
        ]
        return {"kind": LIST, **{name: getattr(self, name) for name in NAMES}, "rows": rows}


NAMES = ("list_id", "month", "run", "run_sha256", "language", "reviewer_id", "reviewer_name")


def row_hash(number: int, cells: Iterable[str]) -> str:
    """Return the SHA-256 of one row as it is read."""
    return hashlib.sha256(canonical_json([number, *cells])).hexdigest()


def headings(language: str) -> tuple[str, ...]:
    """Return the headings of the cells that the reviewer reads; the row's number comes before them."""
    _ = translator(language)
    return (_("Listed as"), _("Employee"), _("Patient"), _("Days"), _("Time"), _("Rows in the log"), _("What was done"))


def kind_words(language: str) -> dict[Kind, str]:
    """Return what each kind of row is called on a list."""
    _ = translator(language)
    return {"sample": _("Random sample"), "targeted": _("Risk-targeted day"), "finding": _("Finding")}


def make_lists(
    site: Site,
    month: SealedMonth,
    found: Sequence[Assigned],
    names: Mapping[str, str],
    protected: set[str],
    known: Iterable[Mapping[str, Any]],
) -> list[ReviewList]:
    """Make one list a reviewer.

    Parameters
    ----------
    found: in the order in which they are to stand.
    names: the reviewers' names, by id.
    protected: patients who are masked.
    known: the lists that the journal holds: one with the same rows keeps its id, so its file has the same bytes.
    """
    same = {_fingerprint(entry): entry["list_id"] for entry in known}
    made = []
    for reviewer in sorted({each.reviewer_id for each in found}):
        own = [each for each in found if each.reviewer_id == reviewer]
        words = _Words(site, month.language, [each.row for each in own], protected)
        rows = tuple(
            ListRow(at, each.row.kind, each.row.keys, words.cells(each.row), each.is_second)
            for at, each in enumerate(own, start=1)
        )
        values = (month.month, month.folder.name, month.sha256, month.language, reviewer, names.get(reviewer, reviewer))
        new = ReviewList(secrets.token_hex(8), *values, rows)
        made.append(ReviewList(same.get(_fingerprint(new.entry()), new.list_id), *values, rows))
    return made


def refuse_unreviewed(rows: Iterable[Sequence[str]], site: Site) -> None:
    """Refuse lists that would leave a row out.

    Parameters
    ----------
    rows: everybody who may review each row.

    Raises
    ------
    SettingsError: nobody can review a row.
    """
    left = sum(not reviewers for reviewers in rows)
    if left and site.settings.review.reviewers:
        raise SettingsError(
            "{count} rows are too close to everybody who could review them: nobody reviews themselves, their own"
            " household and family, or, where settings.yml says so, their nearest colleague.",
            "Name another one under `review: reviewers:` in settings.yml.",
            count=left,
        )
    if left:
        raise SettingsError(
            "{count} rows have no reviewer: no manager is known, or they are about the manager, someone of the"
            " manager's home, or pool staff.",
            "Name a reviewer in settings.yml, with id and name, under `review: reviewers:`.",
            count=left,
        )


def _fingerprint(entry: Mapping[str, Any]) -> bytes:
    return canonical_json({key: value for key, value in entry.items() if key not in {"list_id", "user"}})


class _Words:
    """Writes the cells of one list; a masked patient is neither named nor told by a number or a clock time."""

    def __init__(self, site: Site, language: str, rows: Iterable[Candidate], protected: set[str]) -> None:
        self.zone = site.settings.time_zone
        self.language = language
        self.protected = protected
        self.namesakes: dict[str, set[str]] = {}
        for row in rows:
            self.namesakes.setdefault(row.patient_name, set()).add(row.patient_id)

    def cells(self, row: Candidate) -> tuple[str, ...]:
        _ = translator(self.language)
        # the log's own reference, of a table that nobody described, may end with a number of theirs
        is_masked = bool({row.patient_id, row.patient_id.rpartition(":")[2]} & self.protected)
        listed = kind_words(self.language)[row.kind]
        days = sorted({row.first_day, row.last_day})
        told = (
            listed,
            f"{row.employee_name} ({row.employee_id})" if row.employee_name else row.employee_id or "–",  # noqa: RUF001
            _("masked: protected or sensitive data") if is_masked else self._patient(row),
            " – ".join(format_date(day, self.language) for day in days),  # noqa: RUF001 - from day to day
            "" if is_masked else self._times(row),
            format_number(row.n_rows, self.language),
            row.title if is_masked else row.about,
        )
        return tuple(cell_text(each) for each in told)

    def _patient(self, row: Candidate) -> str:
        """The name alone where it is enough: a number that is not needed is not given."""
        if not row.patient_name:
            return row.patient_id or "–"  # noqa: RUF001
        is_alone = len(self.namesakes[row.patient_name]) == 1
        return row.patient_name if is_alone else f"{row.patient_name} ({row.patient_id})"

    def _times(self, row: Candidate) -> str:
        shown = [format_timestamp(each, self.language, self.zone) for each in row.times]
        if row.first_day == row.last_day:
            shown = [each.split(" ", 1)[1] for each in shown]
        return " – ".join(dict.fromkeys(shown))  # noqa: RUF001


def cell_text(text: str) -> str:
    """Return log text as a cell may hold it: what hides or commands made visible, and no longer than is read."""
    shown = harmless(text).strip()
    return shown if len(shown) <= LONGEST_CELL else f"{shown[: LONGEST_CELL - 1]}…"
