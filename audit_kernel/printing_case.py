"""Prints cases: which there are, one with its course, a draft, an export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.cases import words
from audit_kernel.cases.case import NOTE_KINDS
from audit_kernel.cases.deviation import clock_of, deviation_of
from audit_kernel.cases.draft import answer_words
from audit_kernel.journal import utc_now
from audit_kernel.locale import format_number
from audit_kernel.printing import Printer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.cases.breach_forms import Filled
    from audit_kernel.cases.case import Case
    from audit_kernel.cases.export import Exported
    from audit_kernel.cases.page import CasePage
    from audit_kernel.site import Site


class CasePrinter(Printer):
    """Prints what the commands of cases answer."""

    def cases(self, site: Site, found: Sequence[Case], n_others: int) -> None:
        """Print the cases that this user may see, and how many others there are."""
        _ = self.translate
        labels = (_("Case number"), _("State"), _("Lines"), _("Evidence"), _("Clock"))
        rows = [
            (
                case.number,
                _("open") if case.is_open else _("closed"),
                self._number(len(case.entries)),
                self._number(len(case.evidence)),
                self._clock(site, case),
            )
            for case in found
        ]
        if rows:
            self._table(_("Cases"), [(label, "") for label in labels], rows)
        else:
            self.say(_("There is no case that you may see."))
        if n_others:
            text = _.plural("{count} other case is not for you.", "{count} other cases are not for you.", n_others)
            self.say(text.format(count=self._number(n_others)))

    def case(self, page: CasePage) -> None:
        """Print a case: its facts, its clock, its course, and the notes whole."""
        _ = self.translate
        for label, value in page.facts():
            self.say(f"{label}: {value}")
        deviation = deviation_of(page.case)
        if deviation.is_recorded:
            self.say(page.clock(utc_now()))
        if left := words.open_words(deviation.left_open(), self.language):
            self.say(left)
        labels = (_("Line"), _("When"), _("Who"), _("What"), _("With what"))
        rows = [(str(number), at, user, what, self._cut(text)) for number, at, user, what, text in page.course.rows()]
        self._table(_("Course of the case"), [(label, "") for label in labels], rows)

    def added(self, site: Site, case: Case) -> None:
        """Print that a line was added, and how the clock stands where one runs."""
        _ = self.translate
        last = case.entries[-1]
        what = words.line_words(self.language)[last.did]
        self.say(_("{number}, line {line}: {what}.").format(number=case.number, line=last.sequence, what=what))
        if clock := clock_of(site, case):
            self.say(words.clock_words(clock, site.settings.time_zone, self.language, utc_now()))

    def draft(self, site: Site, case: Case, rows: Sequence[Filled]) -> None:
        """Print each question with its answer, what is missing last and counted."""
        _ = self.translate
        for each in rows:
            name = f" ({each.answer})" if each.is_missing else ""
            self.say(f"{each.question}: {answer_words(each, self.language)}{name}")
        missing = [each for each in rows if each.is_missing]
        if missing:
            text = _.plural(
                "{count} question has no answer yet: {what}",
                "{count} questions have no answer yet: {what}",
                len(missing),
            )
            what = "; ".join(f"{each.question} ({each.answer})" for each in missing)
            self.say(text.format(count=format_number(len(missing), self.language), what=what))
        self.added(site, case)

    def exported(self, made: Exported) -> None:
        """Print where the sealed copy lies, and what was left out of it."""
        _ = self.translate
        for warning in made.warnings:
            self.say(warning)
        if made.n_left_out:
            text = _.plural(
                "{count} text was left out: it may name others. Read it, then export with --with-texts.",
                "{count} texts were left out: they may name others. Read them, then export with --with-texts.",
                made.n_left_out,
            )
            self.say(text.format(count=self._number(made.n_left_out)))
        self.say(str(made.page))

    def _clock(self, site: Site, case: Case) -> str:
        clock = clock_of(site, case)
        return words.clock_words(clock, site.settings.time_zone, self.language, utc_now()) if clock else ""


def plain(site: Site, case: Case) -> dict[str, Any]:
    """Return a case of JSON's own types, for scripts."""
    clock, deviation, now = clock_of(site, case), deviation_of(case), utc_now()
    return {
        "number": case.number,
        "purpose": case.purpose,
        "about": case.about,
        "period": list(case.period),
        "is_open": case.is_open,
        "readers": list(case.readers),
        "clock": None
        if clock is None
        else {
            "state": clock.state(now),
            "known_at": clock.known_at,
            "due_at": clock.due_at,
            "seconds_left": int(clock.left(now).total_seconds()),
        },
        "left_open": deviation.left_open(),
        "n_notes": len([each for each in case.entries if each.did in NOTE_KINDS]),
        "lines": [
            {"line": each.sequence, "at": each.at, "user": each.user, "did": each.did, **each.values}
            for each in case.entries
        ],
    }
