"""What `preview` prints: each month's findings, hours and budgets, as it is now and with the change."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from audit_kernel.evidence.grounds import why_not_assessable
from audit_kernel.locale import format_decimal, format_month
from audit_kernel.preview import BUDGET, MINUTES
from audit_kernel.printing import Printer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.preview import Figures, Month, Preview


class TrialPrinter(Printer):
    """Prints what would have been."""

    def preview(self, found: Preview) -> None:
        """Print a preview: its months as a table, then what a reader must know beside the figures."""
        _ = self.translate
        title = found.query.description.title.in_language(self.language)
        for name, (now, then) in found.changes.items():
            text = _("{threshold}: {now} now, {then} tried.")
            self.say(text.format(threshold=name, now=now.value, then=then.value))
        headings = [(_("Month"), "")]
        for what in (_("Findings"), _("Hours"), _("Findings of all checks"), _("Managers over budget")):
            headings += [(_("{what}, now").format(what=what), "end"), (_("{what}, then").format(what=what), "end")]
        self._table(title, headings, [self._row(each) for each in found.months])
        for text in self._remarks(found):
            self.say(text)

    def _row(self, month: Month) -> list[str]:
        cells = [_month_name(month.month, self.language)]
        for name in ("n_findings", "hours", "n_of_all", "n_over_budget"):
            cells += [self._cell(name, getattr(figures, name)) for figures in (month.now, month.changed)]
        return cells

    def _cell(self, name: str, value: Any) -> str:  # noqa: ANN401 - a count, hours or None
        _ = self.translate
        if value is None:
            return _("not assessable")
        return format_decimal(value, self.language, 1) if name == "hours" else self._number(value)

    def _remarks(self, found: Preview) -> Iterator[str]:
        _ = self.translate
        if not found.is_switched_on:
            yield _("{check} is not switched on: the figures of all checks and of managers are without it now.").format(
                check=found.query.name
            )
        elif not found.changes:
            yield _("{check} is switched on already and no threshold was changed: both columns are the same.").format(
                check=found.query.name
            )
        yield _("Hours are findings times {minutes}; a manager's budget is {budget} a month.").format(
            minutes=MINUTES, budget=BUDGET
        )
        if found.moved:
            text = _("The same change moves the findings of: {names}.")
            yield text.format(names=", ".join(found.moved))
        for each in found.months:
            name = _month_name(each.month, self.language)
            for text in dict.fromkeys(why for figures in (each.now, each.changed) for why in self._lacks(figures)):
                yield f"{name}: {text}"
            if each.changed.n_without_reviewer:
                text = _.plural(
                    "{month}: {count} finding has no known manager.",
                    "{month}: {count} findings have no known manager.",
                    each.changed.n_without_reviewer,
                )
                yield text.format(month=name, count=self._number(each.changed.n_without_reviewer))

    def _lacks(self, figures: Figures) -> Iterator[str]:
        _ = self.translate
        if figures.why:
            yield why_not_assessable(figures.why, self.language)
        if figures.not_counted:
            text = _("Not assessable and so not counted among all checks: {names}.")
            yield text.format(names=", ".join(figures.not_counted))


def as_json_preview(found: Preview, language: str) -> dict[str, Any]:
    """Return a preview for scripts; what is not assessable is null, with the reason in words."""
    return {
        "check": found.query.name,
        "is_switched_on": found.is_switched_on,
        "changes": {name: {"now": now.value, "then": then.value} for name, (now, then) in found.changes.items()},
        "moves_also": list(found.moved),
        "months": [
            {"month": each.month, "now": _plain(each.now, language), "then": _plain(each.changed, language)}
            for each in found.months
        ],
    }


def _plain(figures: Figures, language: str) -> dict[str, Any]:
    why = why_not_assessable(figures.why, language) if figures.why else None
    return {**vars(figures), "why": why}


def _month_name(month: str, language: str) -> str:
    return format_month(date.fromisoformat(f"{month}-01"), language)
