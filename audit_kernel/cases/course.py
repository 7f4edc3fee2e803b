"""The course of a case: each line of its journal in words, as one recipient may see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from audit_kernel.cases import case as kinds
from audit_kernel.cases import words
from audit_kernel.cases.breach_forms import questions
from audit_kernel.cases.deviation import MOMENTS
from audit_kernel.cases.evidence import FILE, ROWS
from audit_kernel.locale import format_timestamp, translator
from audit_kernel.review_reasons import decision_words, review_reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_kernel.cases.case import Entry, Evidence
    from audit_kernel.cases.masks import View

Row = tuple[int, str, str, str, str]


class Course:
    """The lines of a case in one language."""

    def __init__(self, view: View, language: str) -> None:
        self.view, self.case, self.language = view, view.case, language
        self.zone = view.site.settings.time_zone
        self._reasons = {each.code: each.title.in_language(language) for each in review_reasons(view.site)}
        self._facts = {name: text.rstrip("?") for name, text in questions(view.site, language).items()}
        self._telling: dict[str, Callable[[Entry], list[str]]] = {
            kinds.OPENED: lambda _entry: [self.view.text(self.case.purpose)],
            kinds.ABOUT: lambda entry: [self.view.person(each["kind"], each["id"]) for each in entry["subjects"]],
            **dict.fromkeys(kinds.NOTE_KINDS, self._note),
            kinds.ATTACHED: self._attached,
            kinds.DECIDED: self._decided,
            kinds.DEVIATION: lambda entry: [self._fact(name, each) for name, each in entry["facts"].items()],
            kinds.KNOWN: lambda entry: [self.moment(entry["known_at"]), self.text(entry, "reason")],
            kinds.MEASURE: lambda entry: [words.measure_words(self._shown(entry, "text"), language)],
            kinds.NOTIFIED: self._notified,
            **dict.fromkeys((kinds.SHARED, kinds.UNSHARED), lambda entry: [self.view.official(str(entry["reader"]))]),
            **dict.fromkeys((kinds.CLOSED, kinds.REOPENED), self._turned),
            kinds.EXPORTED: self._exported,
        }

    def rows(self) -> list[Row]:
        """Return a row for each line: its number, when (local time), who, what, and with what."""
        named = words.line_words(self.language)
        return [
            (each.sequence, self.moment(each.at), self.view.official(each.user), named[each.did], self.told(each))
            for each in self.case.entries
            if each.did in named and not self.view.hides(each)
        ]

    def told(self, entry: Entry) -> str:
        """Return what a line holds, in words and on one line."""
        return "; ".join(filter(None, self._telling[entry.did](entry)))

    def moment(self, text: str) -> str:
        """Return a moment (UTC, ISO) in local time."""
        return format_timestamp(datetime.fromisoformat(text), self.language, self.zone)

    def text(self, entry: Entry, name: str = "text") -> str:
        """Return what somebody wrote, on one line, as it may be shown."""
        return " ".join(self.view.text(str(entry[name])).split())

    def evidence_title(self, evidence: Evidence) -> str:
        """Return number and title of evidence; the name of a file is what somebody wrote."""
        _ = translator(self.language)
        query = self.view.query(evidence) if evidence.kind == ROWS else None
        title = query.description.title.in_language(self.language) if query else evidence.title
        title = self.view.text(title) if evidence.kind == FILE else title
        return _("Evidence {number}: {title}").format(number=evidence.number, title=title)

    def _note(self, entry: Entry) -> list[str]:
        who = str(entry["who"])
        is_subject = who in [each.id for each in self.case.subjects]
        return [self._about(who) if is_subject else self.view.text(who), str(entry["on"]), self.text(entry)]

    def _attached(self, entry: Entry) -> list[str]:
        evidence = next(each for each in self.case.evidence if each.entry is entry)
        return [self.evidence_title(evidence), self.text(entry, "why")]

    def _decided(self, entry: Entry) -> list[str]:
        about = "" if entry["about"] == kinds.WHOLE_CASE else self._about(str(entry["about"]))
        reason = self._reasons.get(entry["reason"], str(entry["reason"]))
        return [about, decision_words(self.language)[entry["decision"]], reason, self.text(entry)]

    def _notified(self, entry: Entry) -> list[str]:
        shown = self._shown(entry, "how", "reference", "not_needed")
        told = words.notified_words(shown, self.zone, self.language)
        return [words.step_words(self.language)[entry["to"]], told]

    def _turned(self, entry: Entry) -> list[str]:
        left = words.open_words(list(entry["left_open"] or []), self.language)
        return [self.text(entry), left, self.text(entry, "open_reason")]

    def _exported(self, entry: Entry) -> list[str]:
        return [words.recipient_words(self.language)[entry["recipient"]], str(entry["run"])]

    def _about(self, person_id: str) -> str:
        kind = next((each.kind for each in self.case.subjects if each.id == person_id), "employee")
        return self.view.person(kind, person_id)

    def _fact(self, name: str, value: object) -> str:
        told = self.moment(str(value)) if name in MOMENTS else str(value)
        is_free = name not in MOMENTS and not isinstance(value, int)
        return f"{self._facts.get(name, name)}: {self.view.text(told) if is_free else told}"

    def _shown(self, entry: Entry, *names: str) -> Entry:
        """Return a line with these texts as they may be shown."""
        return replace(entry, values={**entry.values, **{name: self.text(entry, name) for name in names}})
