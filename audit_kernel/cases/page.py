"""The page of a case: whom it is about, how the clock stands, what was done line by line, and the evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audit_kernel.cases import words
from audit_kernel.cases.breach_forms import breach_form, filled
from audit_kernel.cases.course import Course
from audit_kernel.cases.deviation import MOMENTS, NUMBERS, deviation_of, needed_answers
from audit_kernel.cases.draft import answer_words, answers
from audit_kernel.cases.evidence import ROWS
from audit_kernel.evidence.display import (
    DisplayObject,
    Facts,
    Heading,
    PageInformation,
    Paragraph,
    Table,
    TableColumn,
    format_value,
    table_from_arrow,
)
from audit_kernel.evidence.masking import FULL, masked_notice
from audit_kernel.evidence.rendering import render_page
from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    from datetime import datetime

    from audit_kernel.cases.breach_forms import Filled
    from audit_kernel.cases.case import Case, Evidence
    from audit_kernel.cases.masks import View
    from audit_kernel.site import Site

NOT_FREE = {"controller", "case_number", "known_at", *NUMBERS, *MOMENTS}  # no words of a person's own
MOST_ROWS = 200
LONGEST_CELL = 300


class CasePage:
    """A case as one recipient may see it, in one language.

    Parameters
    ----------
    recipient: whom the page is for; empty for the terminal.
    """

    def __init__(self, view: View, language: str, recipient: str = "") -> None:
        self.view, self.language, self.recipient = view, language, recipient
        self.case: Case = view.case
        self.site: Site = view.site
        self.translate = translator(language)
        self.zone = self.site.settings.time_zone
        self.course = Course(view, language)

    def html(self) -> str:
        """Return the page."""
        _ = self.translate
        title = _("Case file: {number}").format(number=self.case.number)
        objects: list[DisplayObject] = [
            Heading(title, 1),
            Paragraph(self.clock(), "summary"),
            *self._warnings(),
            Facts(self.facts()),
            *self._deviation(),
            Heading(_("What was done, line by line")),
            self._course_table(),
            *self._whole_texts(),
            *(each for evidence in self.case.evidence for each in self._evidence(evidence)),
        ]
        return render_page(objects, PageInformation(title, self.language, "case", self.site.settings.name))

    def clock(self, now: datetime | None = None) -> str:
        """Return how the 72 hours stand; `now` is the present moment, None for a page that is sealed."""
        found = deviation_of(self.case).clock(breach_form(self.site).hours)
        return words.clock_words(found, self.zone, self.language, now)

    def facts(self) -> list[tuple[str, str]]:
        """Return labels and values of the case itself."""
        _ = self.translate
        lacking, routine = _("not stated"), self.case.routine
        subjects = [self.view.person(each.kind, each.id) for each in self.case.subjects]
        readers = [self.view.official(user) for user in self.case.readers]
        return [
            (_("Case number"), self.case.number),
            (_("Purpose"), self.view.text(self.case.purpose)),
            (_("About"), "; ".join(subjects) or _("nobody in particular")),
            (_("Period"), " \N{EN DASH} ".join(self.case.period) if any(self.case.period) else _("not limited")),
            (_("State"), _("open") if self.case.is_open else _("closed")),
            (_("Opened"), f"{self.course.moment(self.case.opened_at)}, {self.view.official(self.case.opened.user)}"),
            (_("May see it"), ", ".join(readers)),
            (_("Routine in force"), routine["name"] or lacking),
            (_("Version of the routine"), routine["version"] or lacking),
            (_("Person responsible"), self.view.official(routine["person_responsible"]) or lacking),
        ]

    def _warnings(self) -> list[Paragraph]:
        _ = self.translate
        found = []
        if self.view.identity != FULL:
            found.append(Paragraph(masked_notice(self.language), "notice"))
        if self.recipient:
            text = _("This copy is for: {recipient}.").format(
                recipient=words.recipient_words(self.language)[self.recipient]
            )
            found.append(Paragraph(text, "notice"))
        if left := words.open_words(deviation_of(self.case).left_open(), self.language):
            found.append(Paragraph(left, "warning"))
        return found

    def _deviation(self) -> list[DisplayObject]:
        """Return what is recorded of the deviation, in the words of the authority's form."""
        deviation = deviation_of(self.case)
        if not deviation.is_recorded:
            return []
        _ = self.translate
        known, needed = answers(self.site, self.case, self.language), needed_answers(self.site, self.case)
        rows = filled(breach_form(self.site), known, self.language, needed)
        told = [each for each in rows if each.answer not in self.view.hidden_answers]
        return [Heading(_("Deviation")), Facts([(each.question, self._answer(each)) for each in told])]

    def _answer(self, row: Filled) -> str:
        is_shown = not row.text or row.answer in NOT_FREE
        return answer_words(row if is_shown else replace(row, text=self.view.text(row.text)), self.language)

    def _course_table(self) -> Table:
        _ = self.translate
        labels = {
            "number": _("Line"),
            "at": _("When"),
            "user": _("Who"),
            "what": _("What"),
            "text": _("With what"),
        }
        columns = [TableColumn(name, label) for name, label in labels.items()]
        cells = [(str(number), *rest, _cut(text)) for number, *rest, text in self.course.rows()]
        return Table(_("Course of the case"), columns, cells, len(cells), "", self.language)

    def _whole_texts(self) -> list[DisplayObject]:
        """Return the notes that are too long for a table's cell, paragraph by paragraph."""
        _ = self.translate
        shown: list[DisplayObject] = []
        for entry in self.case.notes:
            text = self.view.text(str(entry["text"]))
            if len(" ".join(text.split())) > LONGEST_CELL or text.strip().count("\n"):
                what = words.line_words(self.language)[entry.did]
                heading = _("{what}, line {line}, whole").format(what=what, line=entry.sequence)
                shown += [Heading(heading), *(Paragraph(part) for part in text.splitlines() if part.strip())]
        return shown

    def _evidence(self, evidence: Evidence) -> list[DisplayObject]:
        _ = self.translate
        entry = evidence.entry
        pairs = [
            (_("Kind"), words.evidence_words(self.language)[evidence.kind]),
            (_("Added"), self.course.moment(entry.at)),
        ]
        pairs += [(_("Why"), self.view.text(str(entry["why"])))] if entry["why"] else []
        shown: list[DisplayObject] = [Heading(self.course.evidence_title(evidence))]
        if evidence.kind != ROWS:
            return [*shown, Facts([*pairs, (_("SHA-256"), evidence.sha256)])]
        numbers = {_("Rows"): entry["n_rows"], _("Accesses in the period"): entry["n_searched"]}
        pairs += [(label, format_number(int(number), self.language)) for label, number in numbers.items()]
        pairs += [(_("Snapshot"), str(entry["snapshot"])), (_("SHA-256 of the query"), str(entry["sql_sha256"]))]
        shown += [Facts([*pairs, (_("SHA-256"), evidence.sha256)])]
        shown += [Paragraph(text, "notice") for text in entry["lacks"] or []]
        return [*shown, self._rows(evidence)]

    def _rows(self, evidence: Evidence) -> DisplayObject:
        _ = self.translate
        table, columns = self.view.table(evidence)
        caption = _("Evidence {number}").format(number=evidence.number)
        if columns and {name for name, each in columns.items() if not each.localised} <= set(table.column_names):
            file = f"evidence_{evidence.number}.csv"
            return table_from_arrow(table, columns, self.language, self.zone, caption, MOST_ROWS, file)
        if not table.column_names:
            return Paragraph(_("The rows are left out: the question is no longer known, so nobody can be masked."))
        rows = [
            [format_value(value, "text", self.language, self.zone) for value in row.values()]
            for row in table.slice(0, MOST_ROWS).to_pylist()
        ]
        return Table(caption, [TableColumn(name, name) for name in table.column_names], rows, table.num_rows)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]} …"
