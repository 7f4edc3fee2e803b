"""The page of a run with known incidents: how many the checks found, and what that proves."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
from pydantic import RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.evidence.display import Facts, Paragraph
from audit_kernel.evidence.page import Page
from audit_kernel.locale import format_percent, translator
from audit_kernel.parameters import PERIOD
from audit_kernel.statistics import clopper_pearson
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.query import Result

ALL = "*"
LIMIT_TYPE, LIMIT_STEP = pa.decimal128(19, 18), Decimal(1).scaleb(-18)


class _Kinds(RootModel[dict[str, Texts]]):
    """The whole of `sql/sensitivity/kinds.yml`."""


class SensitivityPage(Page):
    """What the checks found of incidents that never happened; see `Page` for the arguments."""

    def ask(self) -> Result:
        """Take the run's answer, kinds and checks written as their titles."""
        result = super().ask()
        table = _with_limits(result.table)
        _ = translator(self.language)
        self.of_all = next((row for row in table.to_pylist() if row["kind"] == ALL), None)
        kinds = read_model(resource_folder("sql") / "sensitivity" / "kinds.yml", _Kinds).root
        titles = {name: each.in_language(self.language) for name, each in kinds.items()}
        words = _with_words(table, "kind", {ALL: _("All kinds"), **titles})
        return replace(result, table=self._with_checks(words))

    def summary(self) -> None:
        """Say that nothing of it happened, and how many incidents were newly found."""
        if self.result is None or self.of_all is None:
            super().summary()
            return
        _ = translator(self.language)
        of_all = self.of_all
        text = _("{found} of {count} known incidents were newly found: {share} ({lower} to {upper}).")
        shares = {"share": "share", "lower": "lower_limit", "upper": "upper_limit"}
        figures = {name: format_percent(of_all[key] or 0, self.language) for name, key in shares.items()}
        figures |= {"found": self._number(of_all["n_found"]), "count": self._number(of_all["n_incidents"])}
        self._show(
            Paragraph(text.format(**figures), "summary"),
            Paragraph(
                _(
                    "These incidents are synthetic: nobody did any of it. They were put into a copy of the month's data"
                    " that was gone when the run ended; no finding on this page is a suspicion, and none is to be"
                    " reviewed."
                ),
                "warning",
            ),
            Facts(self.facts()),
        )

    def checks(self) -> None:
        """Show each check's findings without and with the incidents, and why some were not assessable."""
        if self.result is None:
            return
        query = self.store.catalog.query("sensitivity_checks", "reports")
        result = self.answer_to(query, {key: value for key, value in self.given.items() if key in PERIOD})
        self.table_of(replace(result, table=self._with_checks(result.table)), query.name)

    def _with_checks(self, table: pa.Table) -> pa.Table:
        _ = translator(self.language)
        names = {str(each) for each in table.column("check_id").to_pylist()} - {ALL}
        titles = {
            name: self.store.catalog.query(name, "checks").description.title.in_language(self.language)
            for name in names
        }
        return _with_words(table, "check_id", {ALL: _("Any of the checks asked"), **titles})


def _with_limits(shares: pa.Table) -> pa.Table:
    """Fill `lower_limit` and `upper_limit` (Clopper and Pearson, 95 %) where there are incidents to be found."""
    figures = zip(*(shares.column(name).to_pylist() for name in ("n_found", "n_incidents")), strict=True)
    limits = [clopper_pearson(found, size) if size else None for found, size in figures]
    for place, name in enumerate(("lower_limit", "upper_limit")):
        values = [Decimal(pair[place]).quantize(LIMIT_STEP) if pair else None for pair in limits]
        shares = shares.set_column(shares.schema.get_field_index(name), name, pa.array(values, LIMIT_TYPE))
    return shares


def _with_words(table: pa.Table, column: str, words: Mapping[str, str]) -> pa.Table:
    """Return the table with a column's codes written in words."""
    values = pa.array([words[str(each)] for each in table.column(column).to_pylist()], pa.string())
    return table.set_column(table.schema.get_field_index(column), column, values)
