"""The page of a month's findings, ranked: one list a reviewer, and what falls outside the time there is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.evidence import restricted
from audit_kernel.evidence.display import Facts, Paragraph, Table, TableColumn
from audit_kernel.evidence.findings import how_to_follow
from audit_kernel.evidence.page import Page
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from audit_kernel.query import Result


class RankingPage(Page):
    """The findings of all checks of a month; see `Page` for the arguments."""

    def ask(self) -> Result:
        """Take the month's ranking, the checks' ids written as their titles."""
        result = super().ask()
        ids = result.table.column("check_id").to_pylist()
        titles = {
            name: self.store.catalog.query(str(name), "checks").description.title.in_language(self.language)
            for name in set(ids)
        }
        words = pa.array([titles[each] for each in ids], pa.string())
        position = result.table.schema.get_field_index("check_id")
        return replace(result, table=result.table.set_column(position, "check_id", words))

    def summary(self) -> None:
        """Say how many findings there are, for how many reviewers, and how many fall outside the time there is."""
        if self.result is None:
            super().summary()
            return
        _ = translator(self.language)
        rows = self.result.table.select(["reviewer_id", "is_within_budget"]).to_pylist()
        n_outside = sum(not row["is_within_budget"] for row in rows)
        text = _.plural(
            "{count} finding for {reviewers} reviewers. {outside} of them outside the time there is:"
            " listed all the same.",
            "{count} findings for {reviewers} reviewers. {outside} of them outside the time there is:"
            " listed all the same.",
            len(rows),
        )
        values = {
            "count": self._number(len(rows)),
            "reviewers": self._number(len({row["reviewer_id"] for row in rows})),
            "outside": self._number(n_outside),
        }
        self._show(Paragraph(text.format(**values), "summary"))
        if any(row["reviewer_id"] == "-" for row in rows):
            self._show(Paragraph(_("Some findings have no reviewer, because no manager is known."), "warning"))
        for notice in restricted.notice(self.run, self.language):
            self._show(Paragraph(notice, "notice"))
        self._show(Facts(self.facts()))

    def table(self, query: str = "", **parameters: Any) -> None:  # noqa: ANN401 - as its base
        """Show the list, and how one of it is followed."""
        super().table(query, **parameters)
        if self.result is not None and self.result.table.num_rows:
            self._show(Paragraph(how_to_follow(self.language)))

    def by_check(self) -> None:
        """Show how many findings each check gave, within the time there is and outside it."""
        if self.result is None or not self.result.table.num_rows:
            return
        _ = translator(self.language)
        counted: dict[str, list[int]] = {}
        for row in self.result.table.select(["check_id", "is_within_budget"]).to_pylist():
            counted.setdefault(str(row["check_id"]), [0, 0])[0 if row["is_within_budget"] else 1] += 1
        columns = [
            TableColumn("check", _("Check")),
            TableColumn("within", _("Within the time there is"), "integer", "end"),
            TableColumn("outside", _("Outside it"), "integer", "end"),
        ]
        shown = [(name, *(self._number(each) for each in counts)) for name, counts in sorted(counted.items())]
        self._show(Table(_("Findings by check"), columns, shown, len(shown), "", self.language))
