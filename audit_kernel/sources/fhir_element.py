"""Reads fields of JSON or XML objects without trusting any type: what is not as it must be quarantines the record."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from audit_kernel.sources.conversions import EVENT_YEARS, LONGEST_FIELD
from audit_kernel.sources.formats import BadValueError

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
SURROGATES = re.compile(r"[\ud800-\udfff]")
# FHIR's instant and dateTime; systems also write a comma or no zone. Digits beyond microseconds are cut off.
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", flags=re.ASCII)
LEAP_SECOND = 60


class Element:
    """An object and its path in the record, for messages: `agent.who.identifier`."""

    def __init__(self, value: dict[str, Any], path: str = "") -> None:
        self.value = value
        self.path = path

    def __bool__(self) -> bool:
        """Say whether it has any field."""
        return bool(self.value)

    def __contains__(self, name: str) -> bool:
        """Say whether it has the field."""
        return name in self.value

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def text(self, name: str) -> str | None:
        """Return a text field, None where it is missing or empty."""
        value = self.value.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise BadValueError(self._at(name), "not_readable")
        if len(value) > LONGEST_FIELD:
            raise BadValueError(self._at(name), "too_long")
        if CONTROLS.search(value):
            raise BadValueError(self._at(name), "control_characters")
        if SURROGATES.search(value):
            raise BadValueError(self._at(name), "not_readable")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; a single text counts as a list of one."""
        values = self.value.get(name, [])
        values = [values] if isinstance(values, str) else values  # XML does not show that a field may repeat
        if not isinstance(values, list):
            raise BadValueError(self._at(name), "not_readable")
        found = [Element({name: value}, self.path).text(name) for value in values]
        return [text for text in found if text]

    def is_true(self, name: str) -> bool:
        """Return a boolean field, False where it is missing."""
        value = self.value.get(name, False)
        if not isinstance(value, bool):
            raise BadValueError(self._at(name), "not_readable")
        return value

    def element(self, name: str) -> Element:
        """Return an object, an empty one where it is missing."""
        value = self.value.get(name, {})
        if not isinstance(value, dict):
            raise BadValueError(self._at(name), "not_readable")
        return Element(value, self._at(name))

    def elements(self, name: str) -> list[Element]:
        """Return a list of objects; a single object counts as a list of one (versions of FHIR differ)."""
        values = self.value.get(name, [])
        values = [values] if isinstance(values, dict) else values
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise BadValueError(self._at(name), "not_readable")
        return [Element(value, self._at(name)) for value in values]

    def codings(self, name: str) -> list[Element]:
        """Return the codings of a Coding, a CodeableConcept or a list of either; a concept's bare text as a display."""
        found: list[Element] = []
        for concept in self.elements(name):
            inner = concept.elements("coding")
            if inner:
                found += inner
            elif "text" in concept:
                found.append(Element({"display": concept.value["text"]}, concept.path))
            elif concept:
                found.append(concept)
        return found

    def time(self, name: str) -> tuple[datetime, bool] | None:
        """Return a time and whether it had an offset: UTC without offset, or local as written; None if missing."""
        text = self.text(name)
        if text is None:
            return None
        match = TIME.fullmatch(text)
        if not match:
            raise BadValueError(self._at(name), "not_a_time")
        year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
        microsecond = int(f"{match[7] or '0':0<6}"[:6])
        leap = second == LEAP_SECOND
        try:
            moment = datetime(year, month, day, hour, minute, second - leap, microsecond)  # noqa: DTZ001 - naive UTC in the store
        except ValueError:
            raise BadValueError(self._at(name), "not_a_time") from None
        if not EVENT_YEARS[0] <= year <= EVENT_YEARS[1]:
            raise BadValueError(self._at(name), "not_a_time")
        return moment + timedelta(seconds=leap) - _offset(match[8]), match[8] is not None


def _offset(zone: str | None) -> timedelta:
    if zone in (None, "Z"):
        return timedelta()
    offset = timedelta(hours=int(str(zone)[1:3]), minutes=int(str(zone)[-2:]))
    return -offset if str(zone).startswith("-") else offset
