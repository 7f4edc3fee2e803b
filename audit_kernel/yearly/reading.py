"""A year as its sealed bags tell it: each month's newest run and closing, and what each check answered in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from audit_kernel.closing.close import KIND as CLOSING
from audit_kernel.errors import UsageError
from audit_kernel.evidence import keys
from audit_kernel.evidence.month import KIND as MONTHLY
from audit_kernel.evidence.sealed_bag import bags_of, changed, disposed_months, refuse_disposed
from audit_kernel.evidence.verify import verify
from audit_kernel.locale import format_number, translator
from audit_kernel.thresholds import thresholds_sealed

if TYPE_CHECKING:
    from audit_kernel.evidence.sealed_bag import SealedBag
    from audit_kernel.site import Site
    from audit_kernel.thresholds import Threshold

YEAR = re.compile(r"[0-9]{4}")
MONTHS = 12
State = Literal["found", "none", "not_assessable", "failed", "not_run", "not_over", "disposed"]


@dataclass(frozen=True)
class Cell:
    """What one check answered in one month."""

    state: State
    number: int = 0

    def text(self, language: str) -> str:
        """Return it in a word, or as a number: zeros too."""
        _ = translator(language)
        words = {
            "not_assessable": _("not assessable"),
            "failed": _("failed"),
            "not_run": _("not run"),
            "not_over": _("not over"),
            "disposed": _("disposed of"),
        }
        return words.get(self.state) or format_number(self.number, language)


@dataclass(frozen=True)
class Month:
    """One month: its newest sealed run and its newest closing, None where there is none.

    disposed_on: the day on which its run was disposed of, ISO; empty where it was not.
    is_over: whether its last day is past, so that it could have been controlled.
    """

    month: str
    bag: SealedBag | None
    closing: SealedBag | None
    disposed_on: str = ""
    is_over: bool = True

    @property
    def first_day(self) -> date:
        """The month's first day."""
        return date.fromisoformat(f"{self.month}-01")

    @cached_property
    def checks(self) -> list[str]:
        """The checks that the run was asked for, by their short names, in its order."""
        notebooks = self.bag.asked["notebooks"] if self.bag else []
        return [str(each["page"]) for each in notebooks if str(each["notebook"]).startswith("checks/")]

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """What each check of the run answered."""
        pages = {each["page"]: each for each in self.bag.worked["pages"]} if self.bag else {}
        return {name: _cell(pages[name]) for name in self.checks if name in pages}

    def cell(self, check: str) -> Cell:
        """Return what a check answered; one that was not asked was not run."""
        return self.cells.get(check, self.no_answer)

    @property
    def no_answer(self) -> Cell:
        """What stands where there is no number: disposed of, not run, or the month has not ended yet."""
        if self.disposed_on and not self.bag:
            return Cell("disposed")
        return Cell("not_run" if self.is_over else "not_over")

    @property
    def n_findings(self) -> int:
        """Findings of all checks, without those kept for the privacy officer."""
        return sum(cell.number for cell in self.cells.values())

    @property
    def n_restricted(self) -> int:
        """Findings kept for the privacy officer, over all checks."""
        return int((self.bag.asked.get("restricted") or {}).get("n_findings", 0)) if self.bag else 0

    @property
    def facts(self) -> dict[str, Any]:
        """What the closing counted; empty without one."""
        found: dict[str, Any] = self.closing.worked[CLOSING] if self.closing else {}
        return found

    @property
    def is_closed_over_other_run(self) -> bool:
        """Whether the month was run again after it was closed."""
        return bool(self.bag and self.closing and self.closing.asked["month"]["run"] != self.bag.name)

    @cached_property
    def thresholds(self) -> dict[str, Threshold]:
        """The decisions that were valid on the first day, from the run's sealed inputs."""
        return thresholds_sealed(self.bag.folder / "data" / "inputs", self.first_day) if self.bag else {}


@dataclass(frozen=True)
class Year:
    """Twelve months, and every check that any of them was asked for, in the order of the last that was."""

    year: str
    months: tuple[Month, ...]

    @cached_property
    def checks(self) -> list[str]:
        """Every check by its short name."""
        return list(dict.fromkeys(name for month in reversed(self.months) for name in month.checks))

    @property
    def bags(self) -> list[SealedBag]:
        """All bags that the year rests on."""
        return [bag for month in self.months for bag in (month.bag, month.closing) if bag]

    @property
    def run(self) -> list[Month]:
        """The months that were run."""
        return [month for month in self.months if month.bag]

    @property
    def disposed(self) -> list[Month]:
        """The months whose run was disposed of."""
        return [month for month in self.months if month.disposed_on and not month.bag]

    @property
    def last_run(self) -> int:
        """The number of the last month that was run."""
        return max(number for number, month in enumerate(self.months, start=1) if month.bag)


def read_year(site: Site, year: str, today: date) -> Year:
    """Read a year's bags, after the whole archive was verified.

    Parameters
    ----------
    today: the local day on which it is read; a month that has not ended by then is not called uncontrolled.

    Raises
    ------
    UsageError: it is no year, none of its months has a sealed run, or what there was was disposed of.
    VerificationError: the archive does not verify; nothing is made from it.
    KeyFileError: the site's public key is missing.
    """
    if not YEAR.fullmatch(year):
        raise UsageError("{year!r} is not a year.", "Give for example 2026.", year=year)
    archive = site.archive_folder
    problems = verify(archive, site.keys_folder / keys.PUBLIC_NAME) if archive.is_dir() else []
    if failed := sorted({each.run or each.file for each in problems if each.is_failure and (each.run or each.file)}):
        raise changed(", ".join(failed))
    found, gone = [], disposed_months(site)
    for number in range(1, MONTHS + 1):
        month = f"{year}-{number:02d}"
        runs, closings = (bags_of(site, month, kind) for kind in (MONTHLY, CLOSING))
        disposed_on = gone[month].disposed_on if month in gone else ""
        is_over = month < today.isoformat()[:7]
        found.append(Month(month, runs[-1] if runs else None, closings[-1] if closings else None, disposed_on, is_over))
    if not any(month.bag for month in found):
        for each in found:
            refuse_disposed(site, each.month)
        raise UsageError(
            "No month of {year} has a sealed run.",
            "Run them first, for example: audit-kernel month {year}-01",
            year=year,
        )
    return Year(year, tuple(found))


def _cell(page: dict[str, Any]) -> Cell:
    if not page["succeeded"]:
        return Cell("failed")
    if not page["facts"].get("is_assessable"):
        return Cell("not_assessable")
    number = int(page["facts"].get("n_rows", 0))
    return Cell("found" if number else "none", number)
