"""The page of a reviewer with an account apart: the own folder's workbooks, their rows, and each row's decision.

It reads settings and that folder, no store, no archive, no journal, and writes into the workbook alone; from there
`review collect` takes it in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.evidence.display import Paragraph
from audit_kernel.evidence.month import month_days
from audit_kernel.locale import format_month, format_number
from audit_kernel.operating.desk import Desk
from audit_kernel.operating.section import Report, text_table
from audit_kernel.operating.whole import WholePage, over_site
from audit_kernel.review.own_list import ChangedMeanwhileError, fill_in, own_lists, read_own_list
from audit_kernel.review.rows_section import RowsSection
from audit_kernel.review.work_words import lists_table, rows_table, state
from audit_kernel.site import WORK_LISTS
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.review.own_list import OwnList
    from audit_kernel.review.work import WorkRow


class WorklistSection(RowsSection):
    """The own lists, newest first, or one list's rows with the written reasons below them."""

    def __init__(self, desk: Desk) -> None:
        self.folder = desk.site.folder / WORK_LISTS / operating_system_user()
        self.lists: Sequence[OwnList] = ()
        self.made: OwnList | None = None
        super().__init__(desk, 2)
        self.act({})

    def texts(self) -> dict[str, Any]:
        """Return the form's texts; there is nothing to fill in."""
        _ = self._
        return {
            "title": _("Review of the log control"),
            "lead": _("Your own work lists. What you decide is saved in the list and collected from there."),
            "submit": _("Show my work lists"),
            "busy": _("Working …"),
            "fields": [],
        }

    def act(self, values: dict[str, str]) -> None:  # noqa: ARG002 - nothing was asked
        """Read the folder and show its lists."""
        self.start(self._show_lists)

    def _show_lists(self, report: Report) -> None:
        _, language = self._, self.desk.language
        report(_("Reading your work lists …"))
        self.made, self.rows = None, ()
        self.lists, wrong = own_lists(self.folder)
        if self.lists:
            rows = [(self._month(each), len(each.rows), each.n_open, each.path.name) for each in self.lists]
            self.tables[0].show(lists_table(rows, language, _("Month")))
        no_list = _(
            "{name} cannot be shown: {problem} Ask the person responsible for the log control for the list anew."
        )
        notices = [no_list.format(name=name, problem=error.parts(language)[0]) for name, error in wrong]
        lead = _("Choose a list.") if self.lists else _("There is no list for you.")
        self.say(_("Your work lists"), lead, notices=notices)

    def open_list(self, key: str) -> None:
        """Show the rows of a list as its workbook holds them now."""
        self.made = read_own_list(next(each.path for each in self.lists if each.path.name == key))
        self._show_rows(self.made)

    def _show_rows(self, made: OwnList, status: str = "", marked: str = "") -> None:
        _, language = self._, self.desk.language
        self.rows = made.rows
        facts = [
            (_("Rows"), format_number(len(made.rows), language)),
            (_("Open"), format_number(made.n_open, language)),
        ]
        lead = _("Choose a row, then a decision and a reason, and write in your own words why.")
        done = _("Every row is decided. The list is collected from here: you send nothing. Changes are collected too.")
        self.tables[0].show(rows_table(self.desk.site, made.rows, marked=marked))
        columns = {
            "decision": _("Decision"),
            "reason": _("Reason"),
            "clause": _("Legal basis"),
            "asks": _("What it asks"),
        }
        reasons = [(made.words[each.decision], each.title, each.clause, each.asks) for each in made.reasons]
        caption = _("The written reasons and their legal basis")
        self.tables[1].show(text_table(caption, columns, reasons, folded=caption))
        self.say(self._title(made), lead if made.n_open else done, facts, status=status)

    def offered(self) -> Sequence[Sequence[str]]:
        """Return the written reasons that the workbook itself holds."""
        return [[each.text, each.title, each.decision] for each in self.made.reasons] if self.made else []

    def row_words(self, row: WorkRow) -> tuple[str, str, Sequence[str]]:
        """Return which list it is, and what stands in the row now."""
        _ = self._
        said = [] if row.is_open else [self._said(each) for each in row.said]
        return self._title(self.made) if self.made else "", _("What stands in the list now"), said

    def _said(self, said: Mapping[str, str]) -> str:
        _ = self._
        words = {"decision": state(said["decision"], self.desk.language), "remark": said["remark"]}
        titles = {each.text: each.title for each in self.made.reasons} if self.made else {}
        reason = titles.get(said["reason"], said["reason"])
        return _("{decision}, {reason}. “{remark}”").format(reason=reason, **words)

    def save(self, row: WorkRow, values: Mapping[str, str]) -> bool:
        """Write the decision into the workbook; say whether that changed it."""
        if self.made is None:
            return False
        try:
            is_new = fill_in(self.made, row, values)
        except ChangedMeanwhileError:
            self.made = read_own_list(self.made.path)
            self.rows, self.row = self.made.rows, self.made.row(row.key)
            self.show_row(self.row)
            raise
        self.made = read_own_list(self.made.path)
        return is_new

    def show_rows(self, status: str, marked: str) -> None:
        """Show the list's rows anew."""
        if self.made:
            self._show_rows(self.made, status, marked)

    def _title(self, made: OwnList) -> str:
        return self._("Work list for {month}").format(month=self._month(made))

    def _month(self, made: OwnList) -> str:
        return format_month(month_days(made.month)[0], self.desk.language)


class WorklistPage(WholePage):
    """The page as one widget."""

    def __init__(self, desk: Desk) -> None:
        self.work = WorklistSection(desk)
        super().__init__([self.work])


def open_page() -> WorklistPage | Paragraph:
    """Return the page over the site that AUDIT_KERNEL_SITE names; where there is none, a paragraph that says so."""
    return over_site(WorklistPage)
