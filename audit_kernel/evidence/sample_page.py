"""The page of a month's random sample: the plan and its promise, the draw, each day with its context."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.errors import UsageError
from audit_kernel.evidence import sample_words as words
from audit_kernel.evidence.display import Facts, Heading, Paragraph
from audit_kernel.evidence.page import Page
from audit_kernel.evidence.sample_run import CONTEXT, DAYS, TARGETED, drawn_with, from_parameter, of_days, read_frame
from audit_kernel.explanations import titles
from audit_kernel.locale import format_number, translator
from audit_kernel.parameters import PERIOD
from audit_kernel.sample_design import STRATIFIED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.query import Result


class SamplePage(Page):
    """A month's sample as its registered draw says; see `Page` for the arguments.

    The parameter `draw` holds the journal's lines of frame and seed (`sample_run.as_parameter`).
    """

    def __init__(self, name: str, run: str, language: str, parameters: Mapping[str, Any]) -> None:
        given = dict(parameters)
        self.draw = from_parameter(str(given.pop("draw", "")))
        super().__init__(name, run, language, given)

    def ask(self) -> Result:
        """Take the month's draw.

        Raises
        ------
        NotAssessableError: the month holds no access.
        UsageError: it does, but the page was opened without a draw.
        """
        if self.draw is None:
            first, last = (date.fromisoformat(str(self.given[key])) for key in PERIOD)
            read_frame(self.store, self.site, first, last)
            raise UsageError(
                "The sample's page was opened without a draw.", "Run the month: its draw is registered then."
            )
        return self.answer_to(self.query, drawn_with(self.draw, self.given))

    def summary(self) -> None:
        """Show the promise in plain words, where the seed comes from, and what the draw can be repeated with."""
        if self.result is None or self.draw is None:
            super().summary()
            return
        promise, *further = words.promises_in_words(self.draw.design, self.language)
        self._show(Paragraph(promise, "summary"), *map(Paragraph, further))
        if notices := self.notices():
            self._show(Paragraph(" ".join(notices), "notice"))
        if self.draw.number > 1:
            _ = translator(self.language)
            text = _("This is draw {number} of the month, beside the first. The reason given: {reason}")
            number = format_number(self.draw.number, self.language)
            self._show(Paragraph(text.format(number=number, reason=self.draw.reason), "warning"))
        self._show(Facts(self.facts()))
        if not self.mask:  # nobody repeats a draw from pseudonyms
            self._show(Paragraph(words.repeat_in_words(self.draw, self.language)))

    def facts(self) -> list[tuple[str, str]]:
        """Return what was asked, by which plan, and the journal's lines of frame and seed."""
        _ = translator(self.language)
        if self.draw is None:
            return super().facts()
        design, seeded = self.draw.design, self.draw.seeded or {}
        period = [pair for pair in super().facts() if pair[0] == _("Period")]
        strata = [(_("Strata"), design.decisions.strata)] if design.decisions.plan in STRATIFIED else []
        zone = self.site.settings.time_zone
        return [
            *period,
            (_("Plan"), words.plan_in_words(design.decisions.plan, self.language)),
            *strata,
            (_("Drawn"), _("{drawn} of {frame}").format(**self._drawn())),
            (_("SHA-256 of the frame"), str(self.draw.frame["entry"]["frame_sha256"])),
            (_("Frame in the journal"), words.journal_line_in_words(self.draw.frame, self.language, zone)),
            (_("Seed"), self.draw.seed),
            (_("Origin of the seed"), words.seed_in_words(self.draw, self.language)),
            (_("Seed in the journal"), words.journal_line_in_words(seeded, self.language, zone)),
        ]

    def _drawn(self) -> dict[str, str]:
        design = self.draw.design if self.draw else None
        counts = {"drawn": design.drawn, "frame": design.population} if design else {}
        return {name: format_number(count, self.language) for name, count in counts.items()}

    def days(self) -> None:
        """Show each drawn day with its reasons, its shift, and the employee's other accesses to that patient."""
        if self.result is not None and self.result.table.num_rows:
            self._days_of(self.result, f"{self.name}_days")

    def context(self) -> None:
        """Show every row of the drawn days."""
        if self.result is not None and self.result.table.num_rows:
            keys = of_days(self.result.table, self.given)["unit_keys"]
            self.table(CONTEXT, unit_keys=keys)

    def targeted(self) -> None:
        """Show the risk-targeted days, a stratum of their own that never enters the estimate."""
        if self.result is None:
            return
        _ = translator(self.language)
        result = self.answer_to(self.store.catalog.query(TARGETED), self.given)
        self._show(Heading(result.query.description.title.in_language(self.language)))
        if not result.table.num_rows:
            self._show(Paragraph(_("Every access of the period has a reason in the data, so none was taken.")))
            return
        text = _(
            "{count} of the {days} days without a reason. They are apart from the sample and never enter what it says"
            " of all days."
        )
        n_days = int(result.table.column("n_days").to_pylist()[0] or 0)
        counts = {"count": self._number(result.table.num_rows), "days": self._number(n_days)}
        self._show(Paragraph(text.format(**counts)))
        self.table_of(result, f"{self.name}_targeted")
        self._days_of(result, f"{self.name}_targeted_days")

    def _days_of(self, picked: Result, name: str) -> None:
        """Show the context of picked days, their reasons in words."""
        asked = of_days(picked.table, self.given)
        result = self.answer_to(self.store.catalog.query(DAYS), asked)
        reasons = titles(self.site, self.language)
        texts = [
            ", ".join(reasons.get(each, each) for each in str(value).split(", ")) if value else None
            for value in result.table.column("reasons").to_pylist()
        ]
        position = result.table.schema.get_field_index("reasons")
        self.table_of(
            replace(result, table=result.table.set_column(position, "reasons", pa.array(texts, pa.string()))), name
        )

    def done(self, **facts: Any) -> None:  # noqa: ANN401 - shown by the index page
        """Report the draw's figures as well."""
        if self.draw is not None and self.result is not None:
            entry, design = self.draw.frame["entry"], self.draw.design
            facts |= {"n_frame": design.population, "n_drawn": design.drawn, "frame_sha256": entry["frame_sha256"]}
            facts |= {"seed": self.draw.seed, "draw": self.draw.number}
        super().done(**facts)
