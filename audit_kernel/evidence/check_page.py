"""The page of a check: the plain counts first, then the findings, then a spot check drawn from within that kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import FRAME
from audit_kernel.chart_description import ChartDescription
from audit_kernel.evidence.check_charts import check_chart
from audit_kernel.evidence.display import Heading, Paragraph
from audit_kernel.evidence.findings import how_to_follow
from audit_kernel.evidence.funnel import funnel
from audit_kernel.evidence.page import Page
from audit_kernel.evidence.restricted import part_of_run
from audit_kernel.explanations import titles
from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.query import Result


class CheckPage(Page):
    """One check; see `Page` for the arguments.

    The parameter `seed` is what the spot check is drawn with; without one, the check's name and period.
    """

    def __init__(self, name: str, run: str, language: str, parameters: Mapping[str, Any]) -> None:
        given = dict(parameters)
        short = name.rsplit("/", maxsplit=1)[-1]
        unseeded = "|".join(str(given.get(key, "")) for key in ("from_date", "to_date"))
        self.seed = str(given.pop("seed", "") or f"{short}|{unseeded}")
        super().__init__(name, run, language, given)

    def counts(self) -> None:
        """Show the plain counts and the matrix, where the check has them."""
        _ = translator(self.language)
        for part, caption in (("counts", _("Plain counts")), ("matrix", _("Matrix"))):
            if self.result is not None and (query := self.query.beside(part)):
                self._show(Heading(caption))
                result = self.answer_to(query, self.given)
                self._draw(part, result)
                self.table_of(result, f"{self.name}_{part}", caption)

    def _draw(self, part: str, result: Result) -> None:
        """Draw the check's chart above the table that it is of."""
        chart = self.query.description.chart
        if not isinstance(chart, ChartDescription) or chart.of != part:
            return
        columns, title = result.query.description.columns, self.query.description.title.in_language(self.language)
        if chart.kind == "funnel":
            found = self.result.table.column("employee_id").to_pylist() if self.result is not None else []
            self._show(funnel(result.table, self.language, title, marked=frozenset(map(str, found))))
            return
        units = [name for name in (chart.x, chart.y) if name.endswith("unit_id")]
        ids = {str(value) for name in units for value in result.table.column(name).to_pylist() if value is not None}
        names = self.store.names("unit", ids) if ids else {}
        self._show(check_chart(result.table, chart, columns, self.language, title, names))

    def table(self, query: str = "", **parameters: Any) -> None:  # noqa: ANN401 - typed by the query's `.yml`
        """Show the findings under their heading."""
        _ = translator(self.language)
        if self.result is not None and not query:
            self._show(Heading(_("Findings")))
            self._draw("findings", self.result)
        super().table(query, **parameters)
        if self.result is not None and not query and self.result.table.num_rows:
            self._show(Paragraph(how_to_follow(self.language)))

    def spot_check(self) -> None:
        """Show the spot check of this kind, what it was drawn from, and what it can be drawn again with."""
        query = self.query.beside(FRAME)
        if self.result is None or query is None:
            return
        drawn = self.whole_answer(query, {**self.given, "seed": self.seed})
        _ = translator(self.language)
        self._show(Heading(_("Spot check drawn from this kind")))
        if not drawn.table.num_rows:
            self._show(Paragraph(_("There is nothing of this kind in the period, so nothing was drawn.")))
            return
        of_kind = int(drawn.table.column("n_frame").to_pylist()[0] or 0)
        text = _.plural(
            "{drawn} of {count} was drawn, in the order of SHA-256 over the seed {seed}, | and the sampling unit.",
            "{drawn} of {count} were drawn, in the order of SHA-256 over the seed {seed}, | and the sampling unit.",
            drawn.table.num_rows,
        )
        values = {"drawn": self._number(drawn.table.num_rows), "count": self._number(of_kind), "seed": self.seed}
        self._show(Paragraph(text.format(**values)))
        self.table_of(part_of_run(drawn, self.run), f"{self.name}_spot_check")

    def facts(self) -> list[tuple[str, str]]:
        """Return what was asked, and which reasons were searched for."""
        return [*super().facts(), *searched_reasons(self.result, titles(self.site, self.language), self.language)]


def searched_reasons(result: Result | None, names: Mapping[str, str], language: str) -> list[tuple[str, str]]:
    """Return which reasons were searched for and which could not be, nothing for a check that looks for none."""
    _ = translator(language)
    if result is None or not result.reasons_searched:
        return []
    searched = [names.get(reason, reason) for reason, is_searchable in result.reasons_searched if is_searchable]
    lacking = [names.get(reason, reason) for reason, is_searchable in result.reasons_searched if not is_searchable]
    return [
        (_("Reasons searched for"), ", ".join(searched) or format_number(0, language)),
        (_("Reasons not searchable, for want of data"), ", ".join(lacking) or format_number(0, language)),
    ]
