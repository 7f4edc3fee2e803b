"""What is odd in a record but readable: the record is stored, and `flags` says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_kernel.sources.fhir_element import Element

    Row = dict[str, Any]

ESCAPED = re.compile(r"&(amp|lt|gt|quot|apos);")
SIGNS = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
PERSONAL_NUMBER = re.compile(r"(?:\d\d)?(\d{6})[-+]?(\d{4})", flags=re.ASCII)


def with_self_service(rows: list[Row], own: str | None = None) -> list[Row]:
    """Flag the rows in which the employee's id, or the employee's own patient number `own`, is the patient's."""
    return [
        {**row, "flags": [*row["flags"], "self_service"]}
        if _is_same(row.get("employee_id"), row["patient_id"]) or _is_same(own, row["patient_id"])
        else row
        for row in rows
    ]


def _is_same(employee: str | None, patient: str | None) -> bool:
    return bool(employee and patient) and _bare(str(employee)) == _bare(str(patient))


def _bare(number: str) -> str:
    """A number without its authority (HL7's CX), a personal number as 10 digits however it is written."""
    number = number.split("^", 1)[0].strip()
    match = PERSONAL_NUMBER.fullmatch(number)
    return match[1] + match[2] if match else number


def unescaped(text: str) -> str:
    """Undo what was escaped once too often: XML's escapes in a text that its format's own reading left."""
    return ESCAPED.sub(lambda match: SIGNS[match[1]], text)


def missing(element: Element, names: Iterable[str]) -> list[str]:
    """Return a flag `missing_NAME` for each field that the format demands and the record lacks."""
    return [f"missing_{CAPITAL.sub('_', name).lower()}" for name in names if name not in element]
