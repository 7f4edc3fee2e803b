"""Writes incidents as the month's logs write accesses: rows of the log with other people, patients and times."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date

    import numpy

    from audit_kernel.sensitivity.incidents import Incident, Opening
    from audit_kernel.sensitivity.material import Material, Row

NOT_OF_THE_ROW = ("deed", "place", "related", "is_named_by_record")


def written(
    incidents: Sequence[Incident],
    material: Material,
    draws: numpy.random.Generator,
    mark: str,
    holidays: Collection[date],
) -> Iterator[Row]:
    """Give the rows of `accesses`; each names its incident in `event_id`: mark, number of the incident, row.

    Reading a record writes one to three rows some seconds apart, every other deed one.
    """
    number = 0
    for incident in incidents:
        for opening in incident.openings:
            donors = material.rows_like(opening.source_id, opening.deed, opening.patient_id)
            n_rows = int(draws.integers(1, 4)) if opening.deed == "read" else 1
            for place in range(n_rows):
                number += 1
                donor = donors[int(draws.integers(len(donors)))]
                row = _row(donor, opening, material, incident.snooper.employee_id)
                row |= _moment(opening, place, material, holidays)
                yield row | {"event_id": f"{mark}-{incident.number}-{number}", "file_id": mark, "line_number": number}


def days_before(incidents: Sequence[Incident]) -> Iterator[Row]:
    """Give the rows of `unexplained_days` for the months before."""
    for incident in incidents:
        for patient, day in incident.earlier:
            yield {
                "month": day.replace(day=1),
                "employee_id": incident.snooper.employee_id,
                "patient_id": patient,
                "local_date": day,
                "unit_id": incident.snooper.unit_id,
                "n_accesses": 2,
            }


def _row(donor: Row, opening: Opening, material: Material, employee_id: str) -> Row:
    """Return the donor's row with this employee and this patient, as that log writes them."""
    who = material.identities[opening.source_id, employee_id]
    about = material.targets[opening.source_id, opening.patient_id]
    identifier, table = about["identifier"], donor["table_name"]
    is_named_by_record = bool(donor["is_named_by_record"])
    if is_named_by_record and donor["related"] == "record":
        identifier = material.records[opening.source_id, table, opening.patient_id]
    names_patient = is_named_by_record or donor["record_ref"] == donor["patient_id"]
    row = {name: value for name, value in donor.items() if name not in NOT_OF_THE_ROW}
    return row | {
        "item": 0,
        "record_hash": None,
        "employee_id": who["written"],
        "employee_name": who["employee_name"],
        "role": who["role"],
        "unit_id": who["unit_id"],
        "on_behalf_of": None,
        "patient_id": f"{table}:{identifier}" if is_named_by_record else identifier,
        "patient_name": about["patient_name"],
        "patient_unit_id": about["patient_unit_id"],
        "record_ref": identifier if names_patient else None,
        "message": None,
        "outcome": opening.outcome,
        "is_break_glass": opening.is_break_glass,
        "network_address": who["network_address"],
        "country": opening.country or who["country"],
        "session_id": None,
    }


def _moment(opening: Opening, place: int, material: Material, holidays: Collection[date]) -> dict[str, Any]:
    at = opening.at + timedelta(seconds=7 * place)
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(material.zones[opening.source_id]))
    return {
        "recorded_at": at,
        "local_date": local.date(),
        "local_hour": local.hour,
        "local_weekday": local.isoweekday(),
        "is_holiday": local.date() in holidays,
        "time_flag": "ok",
    }
