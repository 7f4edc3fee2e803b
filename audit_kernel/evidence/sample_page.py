"""The page of a month's random sample: the frame, the plan and its promise, the draw, each day with its context."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from audit_kernel import sampling
from audit_kernel.evidence.display import Facts, Paragraph
from audit_kernel.evidence.page import Page
from audit_kernel.locale import format_number, format_percent, translator
from audit_kernel.thresholds import thresholds_valid_on

if TYPE_CHECKING:
    from audit_kernel.query import Result

FRAME, DRAW, CONTEXT = "sample/frame", "sample/draw", "sample/context"


class SamplePage(Page):
    """A stratified random sample of employee x patient x day; see `Page` for the arguments.

    The size comes from the thresholds `sample_confidence` and `sample_tolerable_rate` and the frame's size (exact
    hypergeometric); each unit gives its share, rounded up, and at least `minimum_per_stratum`.
    """

    def ask(self) -> Result:
        """Count the frame, plan the size, draw."""
        frame = self.store.report(FRAME, from_date=self.given["from_date"], to_date=self.given["to_date"])
        self.n_frame = frame.table.num_rows
        self.frame_hash = sampling.frame_hash(frame.table)
        decisions = thresholds_valid_on(frame.parameters["from_date"], self.site.folder)
        self.confidence = Decimal(str(decisions["sample_confidence"].value))
        self.tolerable_rate = Decimal(str(decisions["sample_tolerable_rate"].value))
        self.size = sampling.plan(self.n_frame, self.confidence, self.tolerable_rate) if self.n_frame else 0
        return self.store.report(DRAW, **self.given, sample_size=self.size)

    def summary(self) -> None:
        """Show the promise in plain words, and what the draw can be repeated with."""
        if self.result is None:
            super().summary()
            return
        _ = translator(self.language)
        drawn = self.result.table.num_rows
        if not drawn:
            self._show(Paragraph(_("No access-days in the period, so nothing was drawn."), "summary"))
            return
        promise = _(
            "If at least {rate} of the {frame} access-days were unjustified, this sample of {drawn} would contain one"
            " with at least {confidence} probability, given that the reviewer recognises it."
        )
        values = {
            "rate": format_percent(self.tolerable_rate, self.language),
            "frame": format_number(self.n_frame, self.language),
            "drawn": format_number(drawn, self.language),
            "confidence": format_percent(self.confidence, self.language),
        }
        self._show(Paragraph(promise.format(**values), "summary"))
        if notices := self.notices():
            self._show(Paragraph(" ".join(notices), "notice"))
        self._show(Facts([*self.facts(), (_("SHA-256 of the frame"), self.frame_hash)]))

    def context(self) -> None:
        """Show every row of the drawn days."""
        if self.result is None:
            return
        keys = [str(key) for key in self.result.table.column("unit_key").to_pylist()]
        self.table(CONTEXT, unit_keys=keys)

    def done(self, **facts: Any) -> None:  # noqa: ANN401 - shown by the index page
        """Report the draw's figures as well."""
        if self.result is not None:
            facts |= {"n_frame": self.n_frame, "frame_sha256": self.frame_hash, "seed": self.given.get("seed", "")}
        super().done(**facts)
