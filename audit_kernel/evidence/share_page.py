"""The page of what the data explain: the share with a reason, and what it costs to excuse so much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from audit_kernel.chart_description import ChartDescription
from audit_kernel.evidence.check_charts import check_chart
from audit_kernel.evidence.display import Facts, Paragraph
from audit_kernel.evidence.page import Page
from audit_kernel.explanations import titles
from audit_kernel.locale import format_percent, translator

if TYPE_CHECKING:
    from audit_kernel.query import Result

SHARES = ("all", "chance_pairs")


class SharePage(Page):
    """What share of a period's accesses the data explain; see `Page` for the arguments."""

    def ask(self) -> Result:
        """Ask, and write reasons as their titles and kinds in words."""
        result = super().ask()
        _ = translator(self.language)
        rows = result.table.select(["kind", "name", "share"]).to_pylist()
        self.shares = {row["kind"]: row["share"] for row in rows if row["kind"] in SHARES}
        words = {
            "all": _("All accesses"),
            "chance_pairs": _("Pairs made by chance"),
            "best_reason": _("Strongest reason"),
            "unit": _("Unit"),
        }
        reasons = titles(self.site, self.language)
        units = self.store.names("unit", {str(row["name"]) for row in rows if row["kind"] == "unit"})
        names = [reasons.get(str(row["name"]), units.get(str(row["name"]), str(row["name"]))) for row in rows]
        table = result.table
        for column, values in (("kind", [words[str(row["kind"])] for row in rows]), ("name", names)):
            position = table.schema.get_field_index(column)
            table = table.set_column(position, column, pa.array(values, pa.string()))
        return replace(result, table=table)

    def summary(self) -> None:
        """Say the two shares in a sentence."""
        if self.result is None:
            super().summary()
            return
        _ = translator(self.language)
        shares = {name: format_percent(self.shares.get(name) or 0, self.language) for name in SHARES}
        text = _("{all} of the accesses have a reason that the data show; of pairs made by chance {chance} would too.")
        self._show(Paragraph(text.format(all=shares["all"], chance=shares["chance_pairs"]), "summary"))
        if notices := self.notices():
            self._show(Paragraph(" ".join(notices), "notice"))
        self._show(Facts(self.facts()))
        self._picture(self.result)

    def _picture(self, result: Result) -> None:
        """Draw how many accesses each reason is the strongest of, and how many have none."""
        _ = translator(self.language)
        columns = ("kind", "name", "n_accesses", "n_explained")
        told = result.table.select(columns).to_pylist()
        reasons, all_accesses = _("Strongest reason"), _("All accesses")
        bars = [(row["name"], row["n_accesses"]) for row in told if row["kind"] == reasons]
        bars += [(_("No reason found"), r["n_accesses"] - r["n_explained"]) for r in told if r["kind"] == all_accesses]
        names, numbers = zip(*bars, strict=True) if bars else ((), ())
        table = pa.table({"name": pa.array(names, pa.string()), "n_accesses": pa.array(numbers, pa.int64())})
        chart = ChartDescription(kind="bars", of="findings", x="name", value="n_accesses")
        title = _("Accesses by their strongest reason")
        self._show(check_chart(table, chart, result.query.description.columns, self.language, title, {}))
