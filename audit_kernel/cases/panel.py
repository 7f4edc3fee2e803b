"""The case on the investigator's page: opened for a purpose, evidence added from the step on the screen, decided."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import ipywidgets

from audit_kernel.cases import lines, work
from audit_kernel.cases.attach import attach_result
from audit_kernel.cases.deviation import deviation_of, record_facts, record_known, record_measure, record_notified
from audit_kernel.cases.draft import make_draft
from audit_kernel.cases.export import export_case
from audit_kernel.cases.extent import record_counted
from audit_kernel.cases.masks import View
from audit_kernel.cases.page import CasePage
from audit_kernel.cases.panel_texts import FORMS, choice_texts, form_texts
from audit_kernel.cases.words import open_words
from audit_kernel.evidence import coverage
from audit_kernel.investigation.table import Table
from audit_kernel.investigation.widgets import HIDDEN, SHOWN, Form, Trail, Working, harmless_texts
from audit_kernel.journal import utc_now
from audit_kernel.locale import format_number, translator
from audit_kernel.operating.section import text_table
from audit_kernel.sealing.asking import CaseCopy, ask_for_copy, asked_words, must_ask, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_kernel.cases.case import Case
    from audit_kernel.investigation.session import Answer, Session
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

Values = dict[str, str]


class CasePanel(ipywidgets.VBox):  # type: ignore[misc]
    """A case below the step on the screen.

    Parameters
    ----------
    session: of the page; its purpose is the number that the form begins with, its store gives names and rows.
    answers: gives the page's steps, the one on the screen last.
    """

    def __init__(self, site: Site, language: str, session: Session, answers: Callable[[], Sequence[Answer]]) -> None:
        self.site, self.language, self.session, self.answers = site, language, session, answers
        self.number, self._n_lines, self._n_drawn = "", 0, 0
        self.choice = Form(choice_texts(language, ""), language, self.begin)
        self.trail = Trail(language, lambda _position: None)
        self.forms = {name: Form({"title": "", "fields": []}, language, partial(self.act, name)) for name in FORMS}
        self.course = Table(language)
        self._inside = ipywidgets.VBox([self.trail, *self.forms.values(), self.course], layout={"display": HIDDEN})
        super().__init__([self.choice, self._inside])
        self.add_class("ak-section")

    def __repr__(self) -> str:
        """Name the panel only: its state would be written into the notebook."""
        return "<CasePanel>"

    def follow(self, _answer: Answer) -> None:
        """Stand below the step that is shown now; another purpose closes the case on the screen."""
        purpose = self.session.purpose
        if self.choice.texts["fields"][0].get("value") != purpose:
            self.number = ""
            self._inside.layout.display = HIDDEN
            self.choice.texts = harmless_texts(choice_texts(self.language, purpose))

    def begin(self, values: Values) -> None:
        """Open the case that the form names, or begin it."""
        _ = translator(self.language)
        with Working(self.choice):
            number, is_new = values.get("number", ""), values.get("action") == "new"
            if is_new:
                step = self.answers()[-1].step
                work.start_case(
                    self.site,
                    number,
                    values.get("aim", ""),
                    patients=step.patients,
                    employees=step.employees,
                    from_date=step.from_date.isoformat(),
                    to_date=step.to_date.isoformat(),
                )
            self._show(lines.open_case(self.site, number, "case_show"), _("The case has begun.") if is_new else "")

    def act(self, name: str, values: Values) -> None:
        """Do what one of the forms asks, and show the case with the new line."""
        if not self.number:
            return
        with Working(self.forms[name]):
            action = values.get("action", "")
            status = getattr(self, f"_{name}")(values, action) or ""
            self._show(lines.find(self.site, self.number), status)

    def _add(self, values: Values, action: str) -> str:
        text = values.get("text", "")
        if action:
            work.add_note(self.site, self.number, text, action, who=values.get("who", ""), on=values.get("on", ""))
            return ""
        answer, store = self.answers()[-1], self.session.store
        lacks = coverage.notices(answer.lacking, self.language)
        questions = answer.step.questions()
        results = [answer.result]
        if len(questions) > 1:  # the answers about several persons are several proofs
            results = [store.report(answer.step.report, **each) for each in questions]
        for result in results:
            attach_result(self.site, self.number, result, store.snapshot, text, lacks)
        n_rows = sum(result.table.num_rows for result in results)
        said = translator(self.language).plural(
            "{count} row was sealed into the case.", "{count} rows were sealed into the case.", n_rows
        )
        return said.format(count=format_number(n_rows, self.language))

    def _decide(self, values: Values, _action: str) -> None:
        said = [values.get(name, "") for name in ("decision", "reason", "text", "about")]
        work.decide(self.site, self.number, *said)

    def _deviation(self, values: Values, action: str) -> str | None:
        _ = translator(self.language)
        if action == "known":
            record_known(self.site, self.number, reason=values.get("value", ""))
        elif action == "count":
            record_counted(self.site, self.number, len(lines.find(self.site, self.number).evidence))
        elif action == "draft":
            _case, rows = make_draft(self.site, self.number, self.language)
            missing = [row.question for row in rows if row.is_missing]
            done = _("The draft is sealed into the case.")
            return f"{done} {_('Not answered: {what}.').format(what='; '.join(missing))}" if missing else done
        else:
            record_facts(self.site, self.number, {values.get("fact", ""): values.get("value", "")})
        return None

    def _measure(self, values: Values, _action: str) -> None:
        record_measure(self.site, self.number, *(values.get(name, "") for name in ("step", "text", "done")))

    def _notify(self, values: Values, _action: str) -> None:
        told = {name: values.get(name, "") for name in ("at", "how", "reference", "not_needed")}
        record_notified(self.site, self.number, values.get("to", ""), **told)

    def _share(self, values: Values, action: str) -> None:
        work.share(self.site, self.number, values.get("user", ""), ends=action == "ends")

    def _copy(self, values: Values, action: str) -> str:
        _ = translator(self.language)
        recipient, person = (values.get(name, "") for name in ("recipient", "person"))
        if action:
            found = told(self.site, "case", self.number, self.language)
            came = [_("Sealed: {path}").format(path=page) for page in found.pages[-1:]]
            return " ".join([*came, *found.sentences]) or _("Nothing was asked for.")
        if must_ask(self.site, self.site.restricted_folder):
            asked = CaseCopy(number=self.number, recipient=recipient, person=person, language=self.language)
            ask_for_copy(self.site, asked)
            return asked_words(self.language)
        made = export_case(self.site, self.number, recipient, person=person, language=self.language)
        left = _("Free texts left out: {count}.").format(count=format_number(made.n_left_out, self.language))
        sealed = _("Sealed: {path}").format(path=made.page.relative_to(self.site.folder.parent))
        return " ".join([*made.warnings, sealed, left])

    def _end(self, values: Values, _action: str) -> None:
        work.close(self.site, self.number, values.get("outcome", ""), values.get("open_reason", ""))

    def _show(self, case: Case, status: str) -> None:
        """Draw the case as it is now, the forms empty."""
        _ = translator(self.language)
        is_new = case.number == self.number and len(case.entries) > self._n_lines
        self.number, self._n_lines = case.number, len(case.entries)
        store = cast("Store", self.session.store)
        page = CasePage(View(self.site, case, store, self.language), self.language)
        left = open_words(deviation_of(case).left_open(), self.language)
        title = _("Case file: {number}").format(number=case.number)
        self._n_drawn += 1  # an equal form would not be drawn anew, and would keep what was typed
        for name, texts in form_texts(self.site, case, self.language).items():
            self.forms[name].say("")
            self.forms[name].texts = harmless_texts({**texts, "drawn": self._n_drawn})
        labels = (_("Line"), _("When"), _("Who"), _("What"), _("With what"))
        columns = {f"c{place}": label for place, label in enumerate(labels)}
        rows = [[str(number), *rest] for number, *rest in page.course.rows()]
        if is_new:  # each line's own words: an equal view would not be drawn, nor get the focus
            added = _("Line {number} was added: {what}.").format(number=rows[-1][0], what=rows[-1][3])
            status = f"{added} {status}".rstrip()
        self.course.show(text_table(_("Course of the case"), columns, rows))
        view: dict[str, Any] = {"crumbs": [title], "title": title, "question": page.clock(utc_now())}
        asked = told(self.site, "case", case.number, self.language)
        copies = [(_("Sealed copies"), "; ".join(asked.pages))] if asked.pages else []
        notices = [*filter(None, [left]), *asked.sentences]
        view |= {"facts": [*page.facts(), *copies], "notices": notices, "status": status}
        self._inside.layout.display = SHOWN
        self.trail.show({**view, "texts": {"trail": title, "notices": _("What is still open")}})
