"""What a month leaves to review: the random sample's picks and the ranked findings within the time there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from audit_kernel.errors import SettingsError
from audit_kernel.evidence.answers import RANKING
from audit_kernel.locale import format_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audit_kernel.review.sealed_month import SealedMonth
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

SAMPLE, SAMPLE_CONTEXT, TARGETED = "draw", "draw_context", "draw_targeted"
NOBODY = "-"
MOST_ACTIVITIES = 5
Kind = Literal["sample", "targeted", "finding"]


@dataclass(frozen=True)
class Candidate:
    """One row to review; `about` is what a reviewer reads of it, `title` all that is said where the patient is masked.

    keys: the sampling unit, or the ids of the findings about one employee and patient, which are decided together.
    manager_id: the nearest manager on that day, None where none is known.
    """

    kind: Kind
    keys: tuple[str, ...]
    employee_id: str
    employee_name: str
    patient_id: str
    patient_name: str
    unit_id: str
    first_day: date
    last_day: date
    times: tuple[datetime, ...]
    n_rows: int
    about: str
    title: str
    manager_id: str | None


def candidates(site: Site, month: SealedMonth, store: Store, titles: Mapping[Kind, str]) -> list[Candidate]:
    """Return the findings in the order of their places, then the days of the sample and those picked for their risk.

    Parameters
    ----------
    titles: what a day is called where nothing else may be said of it.

    Raises
    ------
    SettingsError: checks found something, but the month ranks no findings; or it has neither findings nor a sample.
    """
    sample = list(_days(month, store, "sample", titles))
    drawn = {each.keys for each in sample}
    targeted = [each for each in _days(month, store, "targeted", titles) if each.keys not in drawn]
    return [*_findings(site, month), *sample, *targeted]


def protected_patients(store: Store, first: date) -> set[str]:
    """Return every identifier of the patients who are protected or sensitive on or after a day: a later mark counts."""
    flagged = "select patient_id from patient_flags where flag <> 'deceased' and valid_to > $first"
    rows = store.sql(
        f"{flagged} union select identifier from patient_identifiers where patient_id in ({flagged}) order by 1",
        {"first": first},
    )
    return {str(each) for each in rows.column(0).to_pylist()}


def _findings(site: Site, month: SealedMonth) -> Iterable[Candidate]:
    ranked = month.table(RANKING)
    found = _sentences(month)
    if ranked is None:
        if found:
            raise SettingsError(
                "The month {month} ranks no findings, so no list can say which to review.",
                "Put ranked_findings last into parameters/schedule.yml and run the month again.",
                month=month.month,
            )
        return []
    zone = ZoneInfo(site.settings.time_zone)
    reviews: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in sorted(ranked.to_pylist(), key=lambda row: (row["reviewer_id"], row["place"])):
        if row["is_within_budget"]:
            reviews.setdefault((row["reviewer_id"], *_about_whom(row)), []).append(row)
    made = []
    for rows in reviews.values():
        row = rows[0]
        moments = sorted(each[name] for each in rows for name in ("first_at", "last_at") if each[name])
        times = [each.replace(tzinfo=ZoneInfo("UTC")) for each in moments]
        days = [each.astimezone(zone).date() for each in times] or [date.fromisoformat(f"{month.month}-01")]
        counted: dict[str, int] = {}
        for each in rows:  # rows of one check are different ones, those of two checks may be the same
            counted[each["check_id"]] = counted.get(each["check_id"], 0) + int(each["n_events"])
        told = [f"{each['check_id']}: {found.get(each['finding_id'], '')}".rstrip(": ") for each in rows]
        made.append(
            Candidate(
                kind="finding",
                keys=tuple(each["finding_id"] for each in rows),
                **_people(row),
                first_day=days[0],
                last_day=days[-1],
                times=tuple(times[:1] + times[-1:]),
                n_rows=max(counted.values()),
                about=" ".join(dict.fromkeys(told)),
                title=", ".join(dict.fromkeys(str(each["check_id"]) for each in rows)),
                manager_id=None if row["reviewer_id"] == NOBODY else row["reviewer_id"],
            )
        )
    return made


def _about_whom(row: dict[str, Any]) -> tuple[str, ...]:
    """Return what is decided together: an employee and a patient; what concerns no single patient stands alone."""
    return (row["employee_id"] or "", row["patient_id"]) if row["patient_id"] else (row["finding_id"],)


def _sentences(month: SealedMonth) -> dict[str, str]:
    """Return the sentence of each finding, from the tables of the run's checks."""
    found: dict[str, str] = {}
    for path in sorted((month.folder / "data" / "tables").glob("*.parquet")):
        table = month.table(path.stem)
        if table is not None and {"finding_id", "sentence"} <= set(table.column_names):
            rows = table.select(["finding_id", "sentence"]).to_pylist()
            found |= {row["finding_id"]: row["sentence"] for row in rows}
    return found


def _days(month: SealedMonth, store: Store, kind: Kind, titles: Mapping[Kind, str]) -> Iterable[Candidate]:
    drawn = month.table(SAMPLE if kind == "sample" else TARGETED)
    if drawn is None:
        return []
    done = _activities(month)
    managers, heads = _Managers(store, "employees", "employee_id"), _Managers(store, "units", "unit_id")
    rows = sorted(drawn.to_pylist(), key=lambda row: (row["local_date"], row["unit_key"]))
    made = []
    for row in rows:
        employee, unit, day = row["employee_id"] or "", row["unit_id"] or "", row["local_date"]
        known = (each for each in (managers.on(employee, day), heads.on(unit, day)) if each and each != employee)
        made.append(
            Candidate(
                kind=kind,
                keys=(row["unit_key"],),
                **_people(row),
                first_day=day,
                last_day=day,
                times=tuple(each.replace(tzinfo=ZoneInfo("UTC")) for each in (row["first_at"], row["last_at"])),
                n_rows=int(row["n_accesses"] if kind == "sample" else row["n_unexplained"]),
                about=", ".join(done.get(row["unit_key"], [])) or titles[kind],
                title=titles[kind],
                manager_id=next(known, None),
            )
        )
    return made


def _people(row: dict[str, Any]) -> dict[str, Any]:
    names = ("employee_id", "employee_name", "patient_id", "patient_name", "unit_id")
    return {name: row.get(name) or "" for name in names}


def _activities(month: SealedMonth) -> dict[str, list[str]]:
    """Return what was done on each sampled day, the most frequent first, each with how many times."""
    table = month.table(SAMPLE_CONTEXT)
    counted: dict[str, dict[str, int]] = {}
    for row in table.to_pylist() if table is not None else []:
        of_day = counted.setdefault(row["unit_key"], {})
        word = row[f"activity_{month.language}"] or row["action"]
        of_day[word] = of_day.get(word, 0) + 1
    return {
        key: [
            f"{word} × {format_number(count, month.language)}"  # noqa: RUF001 - the sign that readers know
            for word, count in sorted(of_day.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_ACTIVITIES]
        ]
        for key, of_day in counted.items()
    }


class _Managers:
    """The managers of employees or units, by day."""

    def __init__(self, store: Store, relation: str, key: str) -> None:
        text = (
            f"select {key}, manager_id, valid_from, valid_to from {relation} where manager_id is not null order by all"
        )
        self._spans: dict[str, list[tuple[date, date, str]]] = {}
        for row in store.sql(text).to_pylist():
            self._spans.setdefault(row[key], []).append((row["valid_from"], row["valid_to"], row["manager_id"]))

    def on(self, key: str, day: date) -> str | None:
        return next((manager for first, end, manager in self._spans.get(key, []) if first <= day < end), None)
