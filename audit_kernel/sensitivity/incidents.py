"""What snoopers do: each kind a short story, told with the month's own people. No check's rule is known here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    import numpy

    from audit_kernel.sensitivity.material import Material, Snooper

FAR_AWAY = ("US", "TH", "BR", "AE", "ZA")
A_MONTH = 20


@dataclass(frozen=True)
class Opening:
    """One visit to a record, or an attempt, at a moment (UTC): what is done is a deed that the log has rows of."""

    source_id: str
    patient_id: str
    at: datetime
    deed: str = "read"
    outcome: str = "success"
    is_break_glass: bool = False
    country: str = ""


@dataclass(frozen=True)
class Incident:
    """One story: its number in this run, its kind, who, and what; `earlier` are days (patient, date) before."""

    number: int
    kind: str
    snooper: Snooper
    openings: tuple[Opening, ...]
    earlier: tuple[tuple[str, date], ...] = ()

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose records it is about."""
        return tuple(dict.fromkeys(each.patient_id for each in self.openings))


class Stories:
    """Draws what one snooper does; an empty list where the month's data do not allow the kind for that person."""

    def __init__(self, material: Material, draws: numpy.random.Generator) -> None:
        self.material = material
        self.draws = draws

    def number(self, least: int, most: int) -> int:
        """Return a whole number from least to most."""
        return int(self.draws.integers(least, most + 1))

    def shuffled(self, values: Sequence[str]) -> list[str]:
        """Return the values in an order by chance."""
        return [values[place] for place in self.draws.permutation(len(values))]

    def strangers(self, who: Snooper, count: int) -> list[str]:
        """Return patients whom neither this person nor anybody of the home unit opened in the month."""
        return [each for each in self.shuffled(self.material.patients) if self.is_stranger(who, each)][:count]

    def is_stranger(self, who: Snooper, patient: str) -> bool:
        """Say whether neither this person nor anybody of the home unit opened the record in the month."""
        known = who.employee_id in self.material.openers.get(patient, ())
        return not known and who.unit_id not in self.material.opener_units.get(patient, ())

    def own(self, who: Snooper) -> list[str]:
        """Return patients of the home unit."""
        return self.shuffled(self.material.unit_patients.get(who.unit_id or "", ()))

    def person(self, kind: str, who: Snooper) -> list[str]:
        """Return one stranger who is of that kind: staff, protected, media, dead, blocked."""
        found = [patient for employee, patient in self.material.persons.get(kind, ()) if employee != who.employee_id]
        return [each for each in self.shuffled(found) if self.is_stranger(who, each)][:1]

    def tied(self, kind: str, who: Snooper) -> list[str]:
        """Return one patient who is this person (staff), or a relative."""
        pairs = self.material.persons.get(kind, ())
        return self.shuffled([patient for employee, patient in pairs if employee == who.employee_id])[:1]

    def at_work(self, who: Snooper, patients: Sequence[str], deed: str = "read", **how: object) -> list[Opening]:
        """Return an opening of each, some minutes after moments at which this person was at work in the log."""
        usable = [each for each in who.moments if (each[0], deed) in self.material.donors]
        if not usable:
            return []
        chosen = [usable[place] for place in self.draws.integers(len(usable), size=len(patients))]
        return [
            Opening(source, patient, at + timedelta(seconds=self.number(60, 900)), deed, **how)  # type: ignore[arg-type]
            for patient, (source, at) in zip(patients, chosen, strict=True)
        ]

    def off_work(
        self, who: Snooper, patients: Sequence[str], hours: tuple[int, int], country: str = ""
    ) -> list[Opening]:
        """Return an opening of each on days without any row of this person, nor the day before or after."""
        month = [
            self.material.first + timedelta(days=number)
            for number in range((self.material.last - self.material.first).days + 1)
        ]
        free = [day for day in month if not {day + timedelta(days=offset) for offset in (-1, 0, 1)} & who.days]
        sources = sorted({source for source, _at in who.moments if (source, "read") in self.material.donors})
        if not free or not sources:
            return []
        zone = ZoneInfo(self.material.zones[sources[0]])
        found = []
        for patient in patients:
            day = free[self.number(0, len(free) - 1)]
            clock = time(self.number(*hours), self.number(0, 59), self.number(0, 59), tzinfo=zone)
            at = datetime.combine(day, clock).astimezone(UTC).replace(tzinfo=None)
            found.append(Opening(sources[0], patient, at, country=country))
        return found

    def afternoon(self, who: Snooper, patients: Sequence[str], deed: str) -> list[Opening]:
        """Return an opening of each within two hours after one moment at work."""
        first = self.at_work(who, patients[:1], deed)
        if not first:
            return []
        start = first[0].at
        return [
            Opening(first[0].source_id, each, start + timedelta(seconds=self.number(0, 7200)), deed)
            for each in patients
        ]


def _again(story: Stories, patients: Sequence[str], least: int, most: int) -> list[str]:
    """Return each patient as often as a number by chance says."""
    return [each for each in patients for _ in range(story.number(least, most))]


def _foreign_unit(story: Stories, who: Snooper) -> list[Opening]:
    for unit in story.shuffled(sorted(story.material.unit_patients)):
        strangers = [each for each in story.material.unit_patients[unit] if story.is_stranger(who, each)]
        if unit != who.unit_id and len(strangers) >= 10:  # noqa: PLR2004 - many, as the kind says
            return story.at_work(who, story.shuffled(strangers)[: story.number(10, 35)])
    return []


def _blocked(story: Stories, who: Snooper) -> list[Opening]:
    person = story.person("blocked", who)
    return [*story.at_work(who, person, "search"), *story.at_work(who, _again(story, person, 2, 4))]


def _abroad(story: Stories, who: Snooper) -> list[Opening]:
    if not story.material.has_countries:
        return []
    country = FAR_AWAY[story.number(0, len(FAR_AWAY) - 1)]
    return story.off_work(who, story.own(who)[: story.number(5, 15)], (8, 22), country)


def _unopened(story: Stories, who: Snooper) -> list[str]:
    """Return one patient of the own unit whom this person has not opened."""
    return [each for each in story.own(who) if who.employee_id not in story.material.openers.get(each, ())][:1]


KINDS: dict[str, Callable[[Stories, Snooper], list[Opening]]] = {
    "own_record": lambda story, who: story.at_work(who, _again(story, story.tied("staff", who), 2, 6)),
    "family": lambda story, who: story.at_work(who, _again(story, story.tied("relative", who), 3, 8)),
    "neighbour": lambda story, who: story.at_work(who, _again(story, story.strangers(who, 1), 15, 40)),
    "former_partner": lambda story, who: story.off_work(who, _again(story, story.strangers(who, 1), 8, 16), (19, 23)),
    "colleague": lambda story, who: story.at_work(who, _again(story, story.person("staff", who), 2, 6)),
    "protected_person": lambda story, who: story.at_work(who, _again(story, story.person("protected", who), 2, 4)),
    "media_person": lambda story, who: story.at_work(who, story.person("media", who)),
    "dead_person": lambda story, who: story.at_work(who, _again(story, story.person("dead", who), 2, 4)),
    "blocked_person": _blocked,
    "foreign_unit": _foreign_unit,
    "night_reading": lambda story, who: story.off_work(who, story.own(who)[: story.number(12, 40)], (0, 4)),
    "searches_only": lambda story, who: story.at_work(who, story.strangers(who, story.number(12, 30)), "search"),
    "prints": lambda story, who: story.afternoon(who, story.own(who)[: story.number(25, 60)], "print"),
    "denied": lambda story, who: story.at_work(
        who, _again(story, story.strangers(who, story.number(4, 8)), 1, 3), outcome="denied"
    ),
    "hollow_emergency": lambda story, who: story.at_work(
        who, story.strangers(who, story.number(3, 8)), is_break_glass=True
    ),
    "abroad": _abroad,
    "slow_browser": lambda story, who: (
        story.at_work(who, story.strangers(who, A_MONTH)) if story.material.earlier_months else []
    ),
    "own_unit": lambda story, who: story.at_work(who, _again(story, _unopened(story, who), 4, 9)),
}


def draw(material: Material, draws: numpy.random.Generator, n_of_kind: int) -> list[Incident]:
    """Return at most that many incidents of each kind, each by another employee."""
    story, free = Stories(material, draws), list(material.snoopers)
    incidents: list[Incident] = []
    for kind, tell in KINDS.items():
        told = 0
        for who in list(free):
            if told == n_of_kind:
                break
            openings = [each for each in tell(story, who) if _can_be_written(material, who, each)]
            if not openings:
                continue
            free.remove(who)
            told += 1
            earlier = _earlier(story, who, openings) if kind == "slow_browser" else ()
            incidents.append(Incident(len(incidents) + 1, kind, who, tuple(openings), earlier))
    return incidents


def _can_be_written(material: Material, who: Snooper, opening: Opening) -> bool:
    """Say whether the log has rows like it, knows the patient, and the moment lies in the month."""
    zone = ZoneInfo(material.zones[opening.source_id])
    day = opening.at.replace(tzinfo=UTC).astimezone(zone).date()
    return (
        (opening.source_id, who.employee_id) in material.identities
        and (opening.source_id, opening.patient_id) in material.targets
        and bool(material.rows_like(opening.source_id, opening.deed, opening.patient_id))
        and material.since.get(opening.patient_id, material.first) <= day <= material.last
    )


def _earlier(story: Stories, who: Snooper, now: Sequence[Opening]) -> tuple[tuple[str, date], ...]:
    """Return twenty strangers' days in each month before: other patients where there are enough."""
    seen = {each.patient_id for each in now}
    found = []
    for month in story.material.earlier_months:
        strangers = story.strangers(who, 3 * A_MONTH)
        fresh = [each for each in strangers if each not in seen][:A_MONTH] or strangers[:A_MONTH]
        seen |= set(fresh)
        found += [(each, month + timedelta(days=story.number(0, 27))) for each in fresh]
    return tuple(found)
