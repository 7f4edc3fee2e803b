"""The page of a log extract: what a patient, or an employee, is given on paper and as JSON.

Whom it names is decided before any row is shown or written; the rules are `parameters/extracts.yml`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.evidence.display import Facts, Heading, Paragraph, Table, TableColumn, format_value, in_words
from audit_kernel.evidence.extract_exchange import bundle
from audit_kernel.evidence.page import Page
from audit_kernel.evidence.restricted import IDENTIFIERS
from audit_kernel.evidence.tables import write_tables
from audit_kernel.extract_journal import withheld
from audit_kernel.extract_rules import extract_rules
from audit_kernel.files import write_new
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from collections.abc import Collection

    from audit_kernel.query import Result

    Row = dict[str, Any]

TEXTS = (
    "part", "unit", "name", "role", "who", "patient_id", "patient", "what", "remark", "action", "outcome", "source_id",
    "access_id",
)  # fmt: skip
MARKS = ("is_break_glass", "is_confirmed", "is_unknown_code")
TYPES: dict[str, pa.DataType] = {
    "recorded_at": pa.timestamp("us"), **dict.fromkeys(TEXTS, pa.string()), **dict.fromkeys(MARKS, pa.bool_()),
}  # fmt: skip
SHOWN = pa.schema(TYPES)


class ExtractPage(Page):
    """One extract: of the accesses to a patient, of one employee's among them, or of an employee's own."""

    def ask(self) -> Result:
        """Ask, and keep of each row only what its reader may see.

        Raises
        ------
        UsageError: the answer about one employee would name somebody whom extracts do not name.
        JournalError: it cannot be read whom naming would endanger.
        """
        self.rules = extract_rules(self.site)
        self.is_own = not self.given.get("patient_id")
        result = super().ask()
        hidden = self._withheld()
        employee_id = str(result.parameters.get("employee_id") or "")
        if employee_id and not self.is_own:
            self.rules.refuse_answer_about(employee_id, hidden)
        self.employee = self.store.names("employee", {employee_id}).get(employee_id, employee_id) if employee_id else ""
        numbers: dict[str, int] = {}
        rows = [self._shown(row, hidden, numbers) for row in result.table.to_pylist()]
        return replace(result, table=pa.Table.from_pylist(rows, SHOWN))

    def _withheld(self) -> Collection[str]:
        """Return whom naming would endanger, by each identifier of theirs."""
        hidden = set(withheld(self.site))
        if hidden:
            named = self.store.sql(IDENTIFIERS.format(kind="employee"), {"ids": sorted(hidden)})
            hidden |= set(map(str, named.column(0).to_pylist()))
        return self.mask.ids("employee", hidden) if self.mask else hidden

    def summary(self) -> None:
        """Answer in a sentence: how many times, first and last; nothing found is said as loudly."""
        if self.result is None:
            super().summary()
            return
        self._show(Paragraph(self._answer(), "summary"))
        if notices := self.notices():
            self._show(Paragraph(" ".join(notices), "notice"))
        self._show(Facts(self.facts()))

    def facts(self) -> list[tuple[str, str]]:
        """Return what was asked, and whom the extract names."""
        _ = translator(self.language)
        if self.result is None:
            return []
        words = {
            "name_and_title": _("by name and title"),
            "unit_and_role": _("by unit and role"),
            "unit": _("by unit"),
            "masked": _("by a number of this extract, not by name"),
            "shown": _("by id and name"),
        }
        if self.is_own:
            return [*super().facts(), (_("Patients stand here"), words[self.rules.patients])]
        return [*super().facts(), (_("Employees stand here"), words[self.rules.who])]

    def part(self, name: str) -> None:
        """Show one part as a table in order of time, and write it: `access`, `attempt` or `search`."""
        if self.result is None:
            return
        _ = translator(self.language)
        captions = {
            "access": _("Accesses"),
            "attempt": _("Attempts that opened nothing"),
            "search": _("Searches"),
        }
        rows = self._rows(name)
        labels = {
            key: column.label.in_language(self.language) for key, column in self.query.description.columns.items()
        }
        other = "patient" if self.is_own else "who"
        columns = {
            "recorded_at": labels["recorded_at"],
            "unit": labels["unit"],
            other: labels["patient_id"] if self.is_own else _("Who"),
            "what": labels["activity"],
        }
        if any(row["remark"] for row in rows):
            columns["remark"] = _("Remark")
        zone = self.site.settings.time_zone
        texts = [[format_value(row[key], "text", self.language, zone) for key in columns] for row in rows]
        shown = [
            TableColumn(key, label, "timestamp" if key == "recorded_at" else "text") for key, label in columns.items()
        ]
        write_tables(
            pa.Table.from_pylist(rows, SHOWN).select(list(columns)), Path(self.run.tables), f"{self.name}_{name}"
        )
        self._show(Table(captions[name], shown, texts, len(rows), language=self.language))

    def words(self) -> None:
        """Explain the words of the page to one who does not work in care."""
        _ = translator(self.language)
        pairs = [
            (
                _("Access"),
                _("Something was opened, written, printed or changed. One visit to a record often gives several rows."),
            ),
            (_("Attempt"), _("Somebody tried to open something and was refused, or it failed. Nothing was opened.")),
            (_("Search"), _("Somebody looked for the person in the system. It does not say that anything was read.")),
            (
                _("Break-the-glass"),
                _(
                    "In an emergency staff can open what is otherwise closed to them. The system marks each such"
                    " opening."
                ),
            ),
            (
                _("Blocked"),
                _(
                    "The patient has had information closed to some or all staff. The mark says that there was a block"
                    " that day, not that it was broken."
                ),
            ),
            (_("Unit"), _("The ward, residence or office where the employee worked.")),
            (_("Log"), _("The record system's own list of what its users do.")),
        ]
        if self.rules.who == "name_and_title" and not self.is_own:
            pairs.append(
                (_("Who"), _("Where naming an employee could put somebody in danger, unit and role stand alone."))
            )
        self._show(Heading(_("What the words mean")), Facts(pairs))

    def exchange(self) -> None:
        """Write the extract as `patient_extract.json` beside the tables; a masked one is handed out to nobody."""
        if self.result is None or self.mask:
            return
        settings = self.site.settings
        found = bundle(self.result.table.to_pylist(), self.language, settings.name, settings.time_zone)
        text = json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True)
        write_new(Path(self.run.tables) / f"{self.name}.json", f"{text}\n".encode())

    def _answer(self) -> str:
        """Return the sentences that answer the question."""
        _ = translator(self.language)
        times = [row["recorded_at"] for row in self._rows("access")]
        if self.is_own:
            none = _("No access by {who} is in the logs of this period.")
            some = _.plural(
                "{who} accessed patients' data {count} time: {first}.",
                "{who} accessed patients' data {count} times: first {first}, last {last}.",
                len(times),
            )
        elif self.employee:
            none = _("No access by {who} to the patient's data is in the logs of this period.")
            some = _.plural(
                "{who} accessed the patient's data {count} time: {first}.",
                "{who} accessed the patient's data {count} times: first {first}, last {last}.",
                len(times),
            )
        else:
            none = _("No access to the patient's data is in the logs of this period.")
            some = _.plural(
                "The patient's data were accessed {count} time: {first}.",
                "The patient's data were accessed {count} times: first {first}, last {last}.",
                len(times),
            )
        zone = self.site.settings.time_zone
        ends = {"first": min(times), "last": max(times)} if times else {}
        moments = {key: format_value(value, "timestamp", self.language, zone) for key, value in ends.items()}
        answer = (some if times else none).format(who=self.employee, count=self._number(len(times)), **moments)
        patients = {row["patient"] for row in self._rows("access") if row["patient"]} if self.is_own else set()
        n_patients, n_attempts, n_searches = len(patients), len(self._rows("attempt")), len(self._rows("search"))
        told = [
            (n_patients, _.plural("{count} patient.", "{count} different patients.", n_patients)),
            (n_attempts, _.plural("{count} attempt opened nothing.", "{count} attempts opened nothing.", n_attempts)),
            (
                n_searches,
                _.plural(
                    "{count} search is listed by itself.", "{count} searches are listed by themselves.", n_searches
                ),
            ),
        ]
        return " ".join([answer, *(text.format(count=self._number(count)) for count, text in told if count)])

    def _rows(self, part: str) -> list[Row]:
        rows: list[Row] = self.result.table.to_pylist() if self.result else []
        return [row for row in rows if row["part"] == part]

    def _shown(self, row: Row, hidden: Collection[str], numbers: dict[str, int]) -> Row:
        """Return what the reader may see of a row, by the rules."""
        _ = translator(self.language)
        is_named = self.is_own or (self.rules.who == "name_and_title" and row["employee_id"] not in hidden)
        name = (row["employee_name"] or row["employee_id"] or _("not stated in the log")) if is_named else None
        role = row["role"] if self.is_own or self.rules.who != "unit" else None
        what = row[f"activity_{self.language}"] or in_words("action", row["action"], self.language)
        way = row[f"access_type_{self.language}"]
        remarks = [
            _("break-the-glass") if row["is_break_glass"] else "",
            _("information was blocked that day") if row["is_blocked"] and not self.is_own else "",
            in_words("outcome", row["outcome"], self.language) if row["part"] == "attempt" else "",
            _("the log has a code without words") if row["is_unknown_code"] else "",
            in_words("time_flag", row["time_flag"], self.language) if row["time_flag"] != "ok" else "",
        ]
        text = f"{what} ({way})" if way else what
        return {
            **{key: row[key] for key in SHOWN.names if key in row},
            **self._patient(row, numbers),
            "name": name,
            "role": role,
            "who": ", ".join(filter(None, [name, role])) or _("an employee"),
            "what": text[:1].upper() + text[1:],
            "remark": "; ".join(filter(None, remarks)),
        }

    def _patient(self, row: Row, numbers: dict[str, int]) -> Row:
        """Return the patient of a row: the reader, or in an employee's extract as its rule says."""
        _ = translator(self.language)
        patient_id, name = row["patient_id"], row["patient_name"]
        shown = {"patient_id": patient_id, "patient": " ".join(filter(None, [patient_id, name]))}
        if not self.is_own or not patient_id:
            return shown
        if row["is_patient_unresolved"]:
            return {"patient_id": None, "patient": _("a record whose patient is not known")}
        if self.rules.patients == "shown":
            return shown
        number = numbers.setdefault(patient_id, len(numbers) + 1)
        return {"patient_id": None, "patient": _("Patient {number}").format(number=self._number(number))}
