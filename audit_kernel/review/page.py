"""The reviewer's page: purpose and month first, then the work list, a row, its decision, and the next open row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import ipywidgets

from audit_kernel import decisions, open_site
from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence.display import Paragraph
from audit_kernel.evidence.month import month_days
from audit_kernel.investigation.questions import checked_purpose, purpose_field, sentence_of
from audit_kernel.investigation.widgets import HIDDEN, SHOWN, Form, Trail, harmless_texts
from audit_kernel.locale import format_month, format_number
from audit_kernel.operating.desk import Desk
from audit_kernel.operating.section import Report, Section
from audit_kernel.review.deciding import decide_row, settle
from audit_kernel.review.work import hand_out, open_counts, open_work, settling
from audit_kernel.review.work_words import entry_texts, lists_table, row_view, rows_table, state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.review.lists import ReviewList
    from audit_kernel.review.work import Work, WorkRow

SETTLING = "settling"


class WorkSection(Section):
    """The question, the lists or one list's rows, and the decision about the row that was chosen."""

    def __init__(self, desk: Desk) -> None:
        self.work: Work | None = None
        self.made: ReviewList | None = None
        self.rows: Sequence[WorkRow] = ()
        self.row: WorkRow | None = None
        self.row_trail = Trail(desk.language, lambda _position: None)
        self.entry = Form(entry_texts(desk.site, None), desk.language, self.enter)
        self.deciding = ipywidgets.VBox([self.row_trail, self.entry], layout={"display": HIDDEN})
        self.deciding.add_class("ak-section")
        super().__init__(desk, 1, [self.deciding], choose=self.choose)

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

    def clear(self) -> None:
        """Show no answer and no row."""
        super().clear()
        self.leave()

    def leave(self) -> None:
        """Show no row."""
        self.row = None
        self.entry.texts = harmless_texts(entry_texts(self.desk.site, None))
        self.deciding.layout.display = HIDDEN
        self.row_trail.show({})

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
        self.tables[0].show(lists_table([*rows, *extra], language))
        lead = _("You run the log control and may open every list. What you fill in is written under your user name.")
        title = _("Work lists for {month}").format(month=self._month(work.month))
        self.say(title, lead, notices=work.warnings, status=status)

    def choose(self, chosen: dict[str, Any]) -> None:
        """Open a list, or a row of it."""
        self.form.say("")
        try:
            if self.rows and chosen["kind"] == "row":
                self._open_row(next(row for row in self.rows if row.key == chosen["key"]))
            elif self.work and chosen["key"] == SETTLING:
                self._show_settling(self.work)
            elif self.work:
                self._hand_out(next(each for each in self.work.lists if each.list_id == chosen["key"]))
        except Exception as error:  # noqa: BLE001 - whatever failed, the page must say so and stay usable
            self.complain(error)

    def _hand_out(self, made: ReviewList, status: str = "", marked: str = "") -> None:
        _, language = self._, self.desk.language
        self.made, self.rows = made, hand_out(self.desk.site, made)
        n_open = sum(not row.said for row in self.rows)
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

    def _open_row(self, row: WorkRow, status: str = "") -> None:
        """Show a row with what was said of it, and the form for its decision."""
        self.row = row
        self.entry.say("")
        self.entry.texts = harmless_texts(entry_texts(self.desk.site, row))
        self.deciding.layout.display = SHOWN
        self.row_trail.show({**row_view(self.desk.site, row, self.made), "status": status})

    def enter(self, values: dict[str, str]) -> None:
        """Save the decision about the row and go to the next open one, or leave the row."""
        row, work = self.row, self.work
        if row is None or work is None:
            return
        if values.get("action") == "leave":
            self._show_again(row.key)
            return
        try:
            is_new = self._save(work, row, values)
        except Exception as error:  # noqa: BLE001 - whatever failed, the page must say so and stay usable
            self.entry.say(*sentence_of(error, self.desk.language), getattr(error, "field", ""))
            return
        _ = self._
        said = state(values["decision"], self.desk.language)
        text = _("Saved: row {row}, {decision}.") if is_new else _("Row {row} was decided so already: {decision}.")
        self._show_again(row.key, text.format(row=row.key, decision=said))

    def _save(self, work: Work, row: WorkRow, values: Mapping[str, str]) -> bool:
        """Write the decision; say whether it was new."""
        if self.made is None:
            settle(self.desk.site, work.month, row.key, values, work.purpose)
            return True
        entry = next(
            each for each in decisions.lists(self.desk.site, work.month) if each["list_id"] == self.made.list_id
        )
        return bool(decide_row(self.desk.site, entry, int(row.key), values, work.purpose))

    def _show_again(self, key: str, status: str = "") -> None:
        """Show the rows as they are now, and after a decision the next open one."""
        self.leave()
        coming = self._next_open(key) if status else None
        told = "" if coming else status  # said once
        if self.made:
            self._hand_out(self.made, told, marked=key)
        elif self.work:
            self._show_settling(self.work, told, marked=key)
        if coming:
            self._open_row(next(row for row in self.rows if row.key == coming), status)

    def _next_open(self, key: str) -> str:
        """Return the key of the next row that is open, from the top again after the last; empty where none is."""
        keys = [row.key for row in self.rows]
        after = keys.index(key) + 1
        following = [*self.rows[after:], *self.rows[:after]]
        return next((row.key for row in following if not row.said and row.key != key), "")

    def _month(self, month: str) -> str:
        return format_month(month_days(month)[0], self.desk.language)


class ReviewPage(ipywidgets.VBox):  # type: ignore[misc]
    """The page as one widget."""

    def __init__(self, desk: Desk) -> None:
        self.work = WorkSection(desk)
        super().__init__([self.work])
        self.add_class("ak-page")

    def __repr__(self) -> str:
        """Name the page only: its state would be written into the notebook."""
        return "<ReviewPage>"


def open_page() -> ReviewPage | Paragraph:
    """Return the page over the site that AUDIT_KERNEL_SITE names; where there is none, a paragraph that says so."""
    try:
        site = open_site()
    except AuditKernelError as error:
        return Paragraph(f"{error.problem} {error.remedy}", tone="warning")
    return ReviewPage(Desk(site, datetime.now(ZoneInfo(site.settings.time_zone)).date()))
