"""Lists made by hand: M1's, and R1's, on which some of the same rows stand a second time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audit_kernel import decisions
from audit_kernel.review.deciding import decide_row
from audit_kernel.review.lists import ListRow, ReviewList, cell_text
from audit_kernel.site import Site, create_site

MONTH = "2026-10"
HOSTILE = "<script>alert(1)</script>\u202egpj"
REASONS = {"justified": "care_of_the_patient", "unjustified": "no_need_in_the_work", "follow_up": "ask_the_employee"}


def english_site(folder: Path) -> Site:
    """Make a Norwegian site whose pages are in English."""
    made = create_site(folder, "NO", "Test kommune")
    settings = made.folder / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("language: nb", "language: en"), encoding="utf-8")
    return Site(made.folder)


def cells(number: int, text: str = "read the journal") -> tuple[str, ...]:
    return ("Random sample", f"Eva Ek (E{number})", f"Per {HOSTILE}", "2026-10-05", "08:30:00", "3", text)


def make_lists(n_rows: int = 3, n_double: int = 2, language: str = "en") -> list[ReviewList]:
    """Return M1's list of so many rows, and R1's: the first so many again, then one of R1's own."""
    own = tuple(ListRow(n, "sample", (f"E{n}|P{n}|2026-10-05",), cells(n)) for n in range(1, n_rows + 1))
    again = tuple(ListRow(row.number, row.kind, row.keys, row.cells, is_second=True) for row in own[:n_double])
    last = ListRow(n_double + 1, "finding", ("ab12", "cd34"), ("Finding", *cells(99)[1:]))
    named = (MONTH, "2026-10-monthly-x", "0" * 64, language)
    return [
        ReviewList("1f" * 8, *named, "M1", "Mona Moe", own),
        ReviewList("2f" * 8, *named, "R1", "Rut Rask", (*again, last)),
    ]


def as_made(made: ReviewList) -> ReviewList:
    """Return a list with its cells as `make_lists` of the program leaves them: what hides is visible."""
    rows = tuple(replace(row, cells=tuple(map(cell_text, row.cells))) for row in made.rows)
    return replace(made, rows=rows)


def send(site, lists) -> dict[str, dict]:
    """Make lists known; return their entries by reviewer."""
    for made in lists:
        decisions.journal(site).append({**made.entry(), "user": "root"})
    return {entry["reviewer_id"]: entry for entry in decisions.lists(site)}


def say(site, entry, number, decision, remark="because"):
    """Decide one row."""
    return decide_row(site, entry, number, {"decision": decision, "reason": REASONS[decision], "remark": remark})


def subject(number: int) -> tuple[str, str]:
    return "sample", f"E{number}|P{number}|2026-10-05"
