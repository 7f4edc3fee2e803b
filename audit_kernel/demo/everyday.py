"""Ordinary work: on every shift some patients are seen, and what is done with each leaves a sequence of log rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from audit_kernel.demo import staff
from audit_kernel.demo.settings import Calendar, stream
from audit_kernel.demo.steps import NOTHING, SEQUENCE_NUMBER, SEQUENCES, WITHOUT_PATIENT, Events, Visits, write_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audit_kernel.demo.patients import Patients
    from audit_kernel.demo.roster import Shift
    from audit_kernel.demo.staff import Duty

CARE: dict[str, float] = {
    "care": 30,
    "look": 14,
    "plan": 10,
    "medicine": 18,
    "handover": 14,
    "search_and_care": 6,
    "correct": 3,
}
ODDITIES = {"search_only": 1.2, "denied": 0.35, "print": 0.8, "services": 0.5, "delete": 0.05}
# what a role does with a patient, by weight
SEQUENCES_OF_ROLE: dict[str, dict[str, float]] = {
    staff.NURSE: CARE | ODDITIES | {"medicine": 26, "doctor": 2, "transfer": 1},
    staff.ASSISTANT_NURSE: CARE | ODDITIES,
    staff.ASSISTANT: {"look": 30, "care": 22, "plan": 14, "handover": 14} | ODDITIES,
    staff.SOCIAL_EDUCATOR: CARE | ODDITIES | {"plan": 20},
    staff.LEADER: {"look": 20, "handover": 20, "reports": 12, "print": 4} | ODDITIES,
    staff.CASE_OFFICER: {"case_work": 40, "look": 10, "services": 10, "reports": 4} | ODDITIES,
    staff.PHYSIOTHERAPIST: {"search_and_care": 30, "plan": 14, "look": 10} | ODDITIES,
    staff.OCCUPATIONAL_THERAPIST: {"search_and_care": 30, "plan": 14, "look": 10} | ODDITIES,
    staff.DOCTOR: {"doctor": 40, "look": 10, "search_and_care": 10} | ODDITIES,
    staff.SPECIALIST_NURSE: {"search_and_care": 40, "plan": 10, "look": 12, "write_up": 10} | ODDITIES,
    staff.ANALYST: {"write_up": 40, "search_and_care": 8} | ODDITIES,
    staff.BILLING_OFFICER: {"bill": 50, "services": 10, "reports": 6} | ODDITIES,
    staff.ARCHIVIST: {"transfer": 30, "bill": 10, "search_only": 2},
    staff.SYSTEM_MANAGER: {"support": 20, "bill": 4, "services": 6, "reports": 4},
}
# patients seen on one shift, on average
PATIENTS_A_SHIFT = {
    staff.NURSE: 5.8,
    staff.ASSISTANT_NURSE: 5.3,
    staff.ASSISTANT: 4.3,
    staff.SOCIAL_EDUCATOR: 5.0,
    staff.LEADER: 5.0,
    staff.CASE_OFFICER: 6.0,
    staff.PHYSIOTHERAPIST: 5.5,
    staff.OCCUPATIONAL_THERAPIST: 5.0,
    staff.DOCTOR: 7.0,
    staff.SPECIALIST_NURSE: 5.0,
    staff.ANALYST: 8.0,
    staff.BILLING_OFFICER: 8.0,
    staff.ARCHIVIST: 3.0,
    staff.SYSTEM_MANAGER: 2.0,
}
ELSEWHERE = ("search_only", "denied")  # mostly a wrong name in the search field
ELSEWHERE_SHARE = 0.7
NEED_SHAPE, CONTACT_SPREAD = 3.0, 0.35
FIRST_MINUTES, LAST_MINUTES = 300, 1200  # seconds at a shift's ends without visits


@dataclass(frozen=True, slots=True)
class Candidates:
    """Patients that a duty may see: number, days [first, last) of the stay, and cumulated share of the visits."""

    patient: NDArray[numpy.int64]
    first: NDArray[numpy.int64]
    last: NDArray[numpy.int64]
    cumulated: NDArray[numpy.float64]


def everyday_events(
    seed: int,
    activity: float,
    calendar: Calendar,
    duties: list[Duty],
    shifts: list[Shift],
    patients: Patients,
    name: str = "everyday",
    n_openings: float = 1.0,
) -> Events:
    """Return the log rows of all ordinary shifts, unordered; `name` is the stream they are drawn from.

    Parameters
    ----------
    n_openings: how often a patient who is seen on a shift is opened in it, on average.
    """
    draws = stream(seed, name)
    needs = draws.gamma(NEED_SHAPE, size=len(patients.people))
    shifts_of: dict[int, list[Shift]] = {}
    for shift in shifts:
        shifts_of.setdefault(shift.duty, []).append(shift)
    parts = []
    for number, of_duty in shifts_of.items():
        candidates = _candidates(draws, calendar, duties[number], patients, needs)
        if len(candidates.patient):
            visits = _visits(draws, activity, duties[number], of_duty, candidates, patients, n_openings)
            parts.append(visits)
    return write_out(draws, _joined_visits(parts)) if parts else NOTHING


def _candidates(
    draws: numpy.random.Generator,
    calendar: Calendar,
    duty: Duty,
    patients: Patients,
    needs: NDArray[numpy.float64],
) -> Candidates:
    weight_of_unit = dict(duty.covers)
    stays = [stay for stay in patients.stays if stay.unit in weight_of_unit and (stay.last is None or stay.last > 0)]
    patient = numpy.array([stay.patient for stay in stays], dtype=numpy.int64)
    weights = numpy.array([weight_of_unit[stay.unit] for stay in stays]) * needs[patient]
    weights = weights * draws.lognormal(0.0, CONTACT_SPREAD, len(stays))
    return Candidates(
        patient=patient,
        first=numpy.array([stay.first or 0 for stay in stays], dtype=numpy.int64),
        last=numpy.array([stay.last or calendar.n_days for stay in stays], dtype=numpy.int64),
        cumulated=numpy.cumsum(weights) / max(float(weights.sum()), 1e-9),
    )


def _visits(
    draws: numpy.random.Generator,
    activity: float,
    duty: Duty,
    shifts: list[Shift],
    candidates: Candidates,
    patients: Patients,
    n_openings: float,
) -> Visits:
    start, end, day = (numpy.array([getattr(one, name) for one in shifts]) for name in ("start", "end", "day"))
    n_seen = draws.poisson(PATIENTS_A_SHIFT[duty.role] * activity, len(shifts))
    shift = numpy.repeat(numpy.arange(len(shifts)), n_seen)
    place = numpy.arange(len(shift)) - (numpy.cumsum(n_seen) - n_seen)[shift]
    # one visit in each equal part of the shift, so that the rows of two do not mix
    part = (end[shift] - start[shift] - FIRST_MINUTES - LAST_MINUTES) / numpy.maximum(n_seen[shift], 1)
    at = start[shift] + FIRST_MINUTES + ((place + draws.uniform(0.0, 0.7, len(shift))) * part).astype(numpy.int64)
    drawn = numpy.searchsorted(candidates.cumulated, draws.random(len(shift)), side="right")
    drawn = numpy.minimum(drawn, len(candidates.patient) - 1)
    patient = candidates.patient[drawn]
    weights = numpy.array([SEQUENCES_OF_ROLE[duty.role].get(name, 0.0) for name in SEQUENCES])
    sequence = draws.choice(len(weights), len(shift), p=weights / weights.sum())
    mistaken = numpy.isin(sequence, [SEQUENCE_NUMBER[name] for name in ELSEWHERE])
    mistaken &= draws.random(len(shift)) < ELSEWHERE_SHARE
    patient = numpy.where(mistaken, draws.integers(len(patients.people), size=len(shift)), patient)
    # a block keeps those out who are not at the patient's own unit
    if duty.unit not in dict(duty.covers):
        blocked = [is_blocked(patients, one, when) for one, when in zip(patient.tolist(), day[shift], strict=True)]
        sequence = numpy.where(blocked, SEQUENCE_NUMBER["denied"], sequence)
    is_about_nobody = numpy.isin(sequence, [SEQUENCE_NUMBER[name] for name in WITHOUT_PATIENT])
    is_present = (candidates.first[drawn] <= day[shift]) & (day[shift] < candidates.last[drawn])
    kept = is_present | mistaken | is_about_nobody
    employee = numpy.full(len(shift), duty.employee, dtype=numpy.int64)
    patient = numpy.where(is_about_nobody, -1, patient)
    visits = Visits(at[kept], employee[kept], patient[kept], sequence[kept])
    if n_openings == 1.0:
        return visits
    return _opened_again(draws, duty, visits, (start[shift][kept], end[shift][kept]), shift[kept], n_openings)


def _opened_again(
    draws: numpy.random.Generator,
    duty: Duty,
    visits: Visits,
    hours: tuple[NDArray[numpy.int64], NDArray[numpy.int64]],
    shift: NDArray[numpy.int64],
    n_openings: float,
) -> Visits:
    """Return the visits with all openings of the same patients in the same shift, evenly spread in a drawn order."""
    weights = numpy.array([SEQUENCES_OF_ROLE[duty.role].get(name, 0.0) * (name not in ODDITIES) for name in SEQUENCES])
    n_more = draws.poisson(n_openings - 1.0, len(shift)) * (visits.patient >= 0)
    n_more[numpy.isin(visits.sequence, [SEQUENCE_NUMBER[name] for name in ELSEWHERE])] = 0
    which = numpy.repeat(numpy.arange(len(shift)), n_more + 1)
    is_first = numpy.diff(which, prepend=-1) != 0
    again = draws.choice(len(weights), len(which), p=weights / weights.sum())
    again = numpy.where(
        is_first | numpy.isin(again, [SEQUENCE_NUMBER[name] for name in WITHOUT_PATIENT]), visits.sequence[which], again
    )
    order = numpy.lexsort((draws.random(len(which)), shift[which]))
    which, again = which[order], again[order]
    counts = numpy.bincount(shift[which], minlength=int(shift.max(initial=-1)) + 1)
    place = numpy.arange(len(which)) - (numpy.cumsum(counts) - counts)[shift[which]]
    start, end = (moment[which] for moment in hours)
    part = (end - start - FIRST_MINUTES - LAST_MINUTES) / counts[shift[which]]
    at = start + FIRST_MINUTES + ((place + draws.uniform(0.0, 0.7, len(which))) * part).astype(numpy.int64)
    return Visits(at, visits.employee[which], visits.patient[which], again)


def is_blocked(patients: Patients, patient: int, day: int) -> bool:
    """Tell whether the patient's record was blocked on that day."""
    first, last = patients.blocks.get(patient, (0, 0))
    return first <= day and (last is None or day < last)


def _joined_visits(parts: list[Visits]) -> Visits:
    return Visits(
        at=numpy.concatenate([part.at for part in parts]),
        employee=numpy.concatenate([part.employee for part in parts]),
        patient=numpy.concatenate([part.patient for part in parts]),
        sequence=numpy.concatenate([part.sequence for part in parts]),
    )
