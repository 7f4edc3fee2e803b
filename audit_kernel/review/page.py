"""The reviewer's page: purpose and month first, then the work list, a row, its decision, and the next open row."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from audit_kernel import decisions
from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence.display import Paragraph
from audit_kernel.evidence.month import month_days
from audit_kernel.investigation.questions import checked_purpose, purpose_field
from audit_kernel.locale import format_month, format_number
from audit_kernel.operating.desk import Desk
from audit_kernel.operating.section import Report
from audit_kernel.operating.whole import WholePage, over_site
from audit_kernel.review.deciding import decide_row, settle
from audit_kernel.review.rows_section import RowsSection
from audit_kernel.review.work import hand_out, open_counts, open_work, settling
from audit_kernel.review.work_words import lists_table, reason_options, rows_table, said_before

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.review.lists import ReviewList
    from audit_kernel.review.work import Work, WorkRow

SETTLING = "settling"


class WorkSection(RowsSection):
    """The question, the lists or one list's rows of a month, as far as this user may see them."""

    def __init__(self, desk: Desk) -> None:
        self.work: Work | None = None
        self.made: ReviewList | None = None
        super().__init__(desk)

    def texts(self) -> dict[str, Any]:
        """Return the form's texts; it begins with the month before this one."""
        _ = self._
        last = self.desk.today.replace(day=1) - timedelta(days=1)
        hint = _("Year and month, for example 2026-10")
        return {
            "title": _("Review of the log control"),
            "lead": _("Give a purpose first: it is written to the use log before anything is shown."),
            "submit": _("Show the work list"),
            "busy": _("Working …"),
            "fields": [
                {**purpose_field(self.desk.language), "value": self.desk.purpose},
                {"name": "month", "type": "text", "label": _("Month"), "hint": hint, "value": f"{last:%Y-%m}"},
            ],
        }

    def offered(self) -> Sequence[Sequence[str]]:
        """Return the written reasons of the site."""
        return reason_options(self.desk.site)

    def row_words(self, row: WorkRow) -> tuple[str, str, Sequence[str]]:
        """Return whose row it is, and what the journal holds about it."""
        _ = self._
        lead = _("For {reviewer}").format(reviewer=self.made.reviewer_name) if self.made else _("Two reviewers differ.")
        told = _("What was decided before; a change is added, the earlier stays")
        return lead, told, said_before(self.desk.site, row)

    def act(self, values: dict[str, str]) -> None:
        """Show what this user may see of the month."""
        try:
            purpose, month = checked_purpose(values), values.get("month", "").strip()
            month_days(month)
        except AuditKernelError as error:
            self.complain(error)
            return
        self.desk.purpose = purpose
        self.start(lambda report: self._open(month, report))

    def _open(self, month: str, report: Report) -> None:
        _ = self._
        report(_("Reading the sealed month …"))
        self.work = open_work(self.desk.site, month, self.desk.purpose)
        if self.work.is_operator:
            self._show_lists(self.work)
        elif self.work.lists:
            self._hand_out(self.work.lists[0])
        else:
            self.say(_("Work list"), _("Nothing of this month is yours to review."))

    def _show_lists(self, work: Work, status: str = "") -> None:
        """Show the operator every reviewer's list, and how many rows are to be settled."""
        _, language = self._, self.desk.language
        self.made = None
        n_settling = sum(not row.said for row in settling(self.desk.site, work))
        counts = zip(work.lists, open_counts(self.desk.site, work.lists), strict=True)
        rows = [(each.reviewer_name, len(each.rows), count, each.list_id) for each, count in counts]
        extra = [(_("To settle: two reviewers differ"), n_settling, n_settling, SETTLING)] if n_settling else []
        self.tables[0].show(lists_table([*rows, *extra], language, _("Reviewer")))
        lead = _("You run the log control and may open every list. What you fill in is written under your user name.")
        title = _("Work lists for {month}").format(month=self._month(work.month))
        self.say(title, lead, notices=work.warnings, status=status)

    def open_list(self, key: str) -> None:
        """Show a list of the month, or what is to be settled."""
        if self.work and key == SETTLING:
            self._show_settling(self.work)
        elif self.work:
            self._hand_out(next(each for each in self.work.lists if each.list_id == key))

    def _hand_out(self, made: ReviewList, status: str = "", marked: str = "") -> None:
        _, language = self._, self.desk.language
        self.made, self.rows = made, hand_out(self.desk.site, made)
        n_open = sum(row.is_open for row in self.rows)
        facts = [
            (_("Reviewer"), made.reviewer_name),
            (_("Rows"), format_number(len(self.rows), language)),
            (_("Open"), format_number(n_open, language)),
        ]
        lead = _("Choose a row, then a decision and a reason, and write in your own words why.")
        done = _("Every row is decided. A decision can be changed: the earlier one stays in the journal.")
        self.tables[0].show(rows_table(self.desk.site, self.rows, marked=marked))
        title = _("Work list for {month}").format(month=self._month(made.month))
        self.say(title, lead if n_open else done, facts, status=status)

    def _show_settling(self, work: Work, status: str = "", marked: str = "") -> None:
        _ = self._
        self.made, self.rows = None, settling(self.desk.site, work)
        self.tables[0].show(rows_table(self.desk.site, self.rows, marked=marked, is_settling=True))
        lead = _("Neither decision counts until you settle the row. Both stay in the journal, and yours stands.")
        self.say(_("Rows about which two reviewers differ"), lead, status=status)

    def save(self, row: WorkRow, values: Mapping[str, str]) -> bool:
        """Write the decision into the journal; say whether it was new."""
        work = self.work
        if work is None:
            return False
        if self.made is None:
            settle(self.desk.site, work.month, row.key, values, work.purpose)
            return True
        entry = next(
            each for each in decisions.lists(self.desk.site, work.month) if each["list_id"] == self.made.list_id
        )
        return bool(decide_row(self.desk.site, entry, int(row.key), values, work.purpose))

    def show_rows(self, status: str, marked: str) -> None:
        """Show the list's rows anew, or those to settle."""
        if self.made:
            self._hand_out(self.made, status, marked)
        elif self.work:
            self._show_settling(self.work, status, marked)

    def _month(self, month: str) -> str:
        return format_month(month_days(month)[0], self.desk.language)


class ReviewPage(WholePage):
    """The page as one widget."""

    def __init__(self, desk: Desk) -> None:
        self.work = WorkSection(desk)
        super().__init__([self.work])


def open_page() -> ReviewPage | Paragraph:
    """Return the page over the site that AUDIT_KERNEL_SITE names; where there is none, a paragraph that says so."""
    return over_site(ReviewPage)
