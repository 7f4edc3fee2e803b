"""A store that answers from lists: the three reports of one pair, with hostile text where a log could hold it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pyarrow

from audit_kernel.catalog import Column, Description, Query
from audit_kernel.errors import UnknownSubjectError, UsageError
from audit_kernel.query import Result
from audit_kernel.yaml_file import Texts

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202egpj.exe\x00\x1b[31m"
FIRST_AT = datetime.fromisoformat("2026-10-01T06:15:00")  # UTC without offset, as the store gives it
N_EMPLOYEES = 120
N_EVENTS = 130


OTHERS = (
    "blocked_searches", "patient_searches", "search_misuse", "employee_month", "readers_and_carers", "break_glass",
    "extent", "extent_sources", "household", "colleagues",
)  # fmt: skip
# Whom a name fits; who is not named here is found by number in the reports.
PEOPLE = {"hansen": ["P7", "P8", "P9"], "berg": ["P4"], "kari": ["E001"]}
SEARCHED = (("documented_care", True), ("on_shift", True), ("care_team", False))


def texts(english: str) -> Texts:
    return Texts(en=english, sv=f"sv {english}", nb=f"nb {english}")


def description(title: str, **columns: str) -> Description:
    described = {}
    for name, kind in columns.items():
        hidden = kind.startswith("-")
        localised = kind.endswith("*")
        described[name] = Column(
            type=kind.strip("-*"),
            label=texts(name.replace("_", " ").capitalize()),
            meaning=texts(f"Meaning of {name}"),
            localised=localised,
            hidden=hidden,
        )
    return Description(title=texts(title), question=texts(f"Question of {title}"), method=texts("-"), columns=described)


DESCRIPTIONS = {
    "activity": description(
        "Activity",
        employee_id="id", employee_name="text", patient_id="-id", patient_name="text", n_journal="integer",
        first_journal_at="timestamp", last_journal_at="timestamp", is_blocked="boolean",
    ),
    "detailed_activity": description(
        "Detailed activity",
        recorded_at="timestamp", employee_name="text", activity="text*", is_confirmed="boolean",
        employee_id="-id", patient_id="-id", access_id="-id",
    ),
    "system_log": description(
        "System log",
        event_id="id", time_local="text", log_type="code", record_ref="id", meaning="text*",
        recorded_at="-timestamp", access_id="-id", is_unknown_code="-boolean",
    ),
    "timeline": description("Timeline", day="date", n_accesses="integer"),
    "hour_map": description("Hours", local_weekday="integer", local_hour="integer", n_accesses="integer"),
    "people": description("People", person_id="id", name="text", n_matches="-integer"),
    "access_reasons": description("Reasons", access_id="-id", explanation_found="code", is_enough="boolean"),
    **{
        name: description(name, employee_id="id", patient_id="id", n_accesses="integer", n_unexplained="integer")
        for name in OTHERS
    },
}  # fmt: skip


class FakeStore:
    """Remembers what it was asked."""

    def __init__(self, purpose: str) -> None:
        if not purpose:
            raise UsageError("No purpose was given.", "Give one.")
        self.purpose = purpose
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True

    def report(self, name: str, **parameters: object) -> Result:
        if name == "reports/coverage":
            row = {"n_silent_days": 2, "n_missing_numbers": 0, "n_odd_hours": 0, "n_quarantined": 0}
            table = pyarrow.Table.from_pylist([{"source_id": "gerica", **row}])
            return Result(Query("coverage", "reports", Path("coverage.sql")), table, parameters, 0, 0)
        if name == "people":
            ids = PEOPLE.get(str(parameters["typed"]), [])
            rows = [{"person_id": each, "name": f"Somebody {each}", "n_matches": 7 * len(ids)} for each in ids]
            return self._result(name, pyarrow.Table.from_pylist(rows) if rows else pyarrow.table({"person_id": []}), {})
        self.asked.append((name, parameters))
        if parameters.get("patient_id") == "nobody":
            raise UnknownSubjectError("The patient 'nobody' stands nowhere.", "Check the number.")
        if parameters.get("patient_id") == "broken":
            raise ZeroDivisionError("a row: KARI NORDMANN")
        rows = getattr(self, name, self.other)(parameters)
        if parameters.get("patient_id") == "quiet":
            rows = rows.slice(0, 0)
        return self._result(name, rows, parameters)

    def deliveries(self) -> list[object]:
        return [SimpleNamespace(first_at=datetime.fromisoformat("2024-03-01T12:00:00")), SimpleNamespace(first_at=None)]

    @staticmethod
    def _result(name: str, rows: pyarrow.Table, parameters: dict[str, object]) -> Result:
        query = Query(name, "reports", Path(f"{name}.sql"))
        query.__dict__["description"] = DESCRIPTIONS[name]
        searched = SEARCHED if name == "access_reasons" else ()
        return Result(query, rows, parameters, rows_searched=4711, rows_unresolved=3, reasons_searched=searched)

    def other(self, parameters):
        people = {"employee_id": parameters.get("employee_id", "E2"), "patient_id": parameters.get("patient_id", "P2")}
        counts = ({"n_accesses": 3, "n_unexplained": 1}, {"n_accesses": 2, "n_unexplained": 0})
        return pyarrow.Table.from_pylist([{**people, **each} for each in counts])

    def access_reasons(self, _parameters):
        found = [
            {"explanation_found": "on_shift", "is_enough": True, "explanations_absent": ["documented_care"]},
            {"explanation_found": None, "is_enough": False, "explanations_absent": ["documented_care", "on_shift"]},
            {"explanation_found": "on_shift", "is_enough": False, "explanations_absent": ["documented_care"]},
        ]
        rows = [{"access_id": f"access-{number}", **found[number % 3]} for number in range(N_EVENTS)]
        return pyarrow.Table.from_pylist(rows)

    def activity(self, parameters):
        return pyarrow.table(
            {
                "employee_id": [f"E{number:03}" for number in range(N_EMPLOYEES)],
                "employee_name": [HOSTILE if number == 1 else f"Kari {number}" for number in range(N_EMPLOYEES)],
                "patient_id": [parameters.get("patient_id") or f"P{number:03}" for number in range(N_EMPLOYEES)],
                "patient_name": [f"Ola {number}" for number in range(N_EMPLOYEES)],
                "n_journal": pyarrow.array([(number * 37) % 101 for number in range(N_EMPLOYEES)], pyarrow.int64()),
                "first_journal_at": [FIRST_AT + timedelta(hours=number) for number in range(N_EMPLOYEES)],
                "last_journal_at": [FIRST_AT + timedelta(hours=7 * number) for number in range(N_EMPLOYEES)],
                "is_blocked": [number == 1 for number in range(N_EMPLOYEES)],
            }
        )

    def detailed_activity(self, parameters):
        return pyarrow.table(
            {
                "recorded_at": [FIRST_AT + timedelta(hours=5 * number) for number in range(N_EVENTS)],
                "employee_name": [HOSTILE] * N_EVENTS,
                "activity_en": [f"opened the care plan {HOSTILE}"] * N_EVENTS,
                "activity_sv": [f"öppnade genomförandeplanen {HOSTILE}"] * N_EVENTS,
                "activity_nb": [f"åpnet tiltaksplanen {HOSTILE}"] * N_EVENTS,
                "is_confirmed": [number % 2 == 0 for number in range(N_EVENTS)],
                "employee_id": [parameters["employee_id"]] * N_EVENTS,
                "patient_id": [parameters["patient_id"]] * N_EVENTS,
                "access_id": [f"access-{number}" for number in range(N_EVENTS)],
            }
        )

    def system_log(self, parameters):
        at = [FIRST_AT + timedelta(minutes=number) for number in range(N_EVENTS)]
        return pyarrow.table(
            {
                "event_id": [str(70000 + number) for number in range(N_EVENTS)],
                "time_local": [f"{each:%H:%M:%S}" for each in at],
                "log_type": ["Lesing"] * N_EVENTS,
                "record_ref": [f"J{number} {HOSTILE}" for number in range(N_EVENTS)],
                "meaning_en": ["Read a record"] * N_EVENTS,
                "meaning_sv": ["Läste en journal"] * N_EVENTS,
                "meaning_nb": ["Leste en journal"] * N_EVENTS,
                "recorded_at": at,
                "access_id": [f"access-{number}" for number in range(N_EVENTS)],
                "is_unknown_code": [number == 3 for number in range(N_EVENTS)],
            }
        )

    def timeline(self, _parameters):
        days = [date(2026, 10, 1) + timedelta(days=number) for number in range(28)]
        return pyarrow.table({"day": days, "n_accesses": [(number * 5) % 13 for number in range(28)]})

    def hour_map(self, _parameters):
        cells = [(weekday, hour) for weekday in range(1, 8) for hour in range(6, 23)]
        return pyarrow.table(
            {
                "local_weekday": [weekday for weekday, _hour in cells],
                "local_hour": [hour for _weekday, hour in cells],
                "n_accesses": [(weekday * hour) % 17 for weekday, hour in cells],
            }
        )
