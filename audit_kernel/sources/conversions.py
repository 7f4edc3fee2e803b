"""SQL expressions that convert and check a delimited file's text columns c1, c2 ...; they hold no value of the file.

A record is bad when one of its values is; the first failure found names it, in this order: control characters, a field
too long, a missing value, a number or a value that the mapping lacks, then date and time, each from the left. Tab,
line feed and carriage return are allowed (free text in quotes has them); every other control character is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.errors import SettingsError
from audit_kernel.sources.personal_number import FLAG, is_wrong, personal_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.sources.columns import ColumnMapping
    from audit_kernel.sources.count import FileFacts

CONTROLS = r"'[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}]'"
LONGEST_FIELD = 16 << 20
# A log's event outside these years has a wrong clock or a default value; reference data may say 9999-12-31 for "open".
EVENT_YEARS = (1990, 2100)
REFERENCE_YEARS = (1800, 9999)


class Conversions:
    """The expressions for one file; `reasons` maps the number of a failure to (column of the file, code)."""

    def __init__(self, columns: Mapping[str, ColumnMapping], facts: FileFacts) -> None:
        self.columns = columns
        self.facts = facts
        self.names = list(columns)
        self.reasons: list[tuple[str | None, str]] = []
        self.checks: list[tuple[str, int]] = []
        self._add_checks_of_all_columns()

    def column(self, target: str) -> str | None:
        """SQL of the column that goes to `target`, NULL for a value of its `empty`; None if no column does."""
        for number, mapping in enumerate(self.columns.values(), start=1):
            if mapping.to == target:
                return _value(number, mapping)
        return None

    def mapping(self, target: str) -> ColumnMapping:
        """Return how the column that goes to `target` is read."""
        return next(mapping for mapping in self.columns.values() if mapping.to == target)

    def converted(self, target: str, sql_type: str) -> str | None:
        """The value for a stored column of that type, by the mapping's `values` where it has them; None if unmapped.

        Adds the checks: a value that is not among `values`, a number that is none.
        """
        column = self.column(target)
        if column is None:
            return None
        mapping = self.mapping(target)
        if mapping.values:
            column = self._decided(column, target, mapping.values)
        elif mapping.type == "personal_number":
            column = personal_number(column, f"year({self._moment()})")
        if sql_type.startswith("DECIMAL"):
            return self.decimal(target, sql_type, is_exact=True)
        if sql_type == "INTEGER":
            # How many events a record stands for: none given is one, and a record of no event is a fault.
            self.add_check(f"not regexp_full_match({column}, '0*[1-9][0-9]{{0,8}}')", target, "not_a_number")
            return f"coalesce(try_cast({column} as integer), 1)"
        return column if sql_type == "VARCHAR" else f"try_cast({column} as {sql_type})"

    def _decided(self, column: str, target: str, values: Mapping[str, str]) -> str:
        """What each value of the log means; adds the check that it is one of them."""
        if "" in values:
            column = f"coalesce({column}, '')"
        known = ", ".join(literal(value) for value in values)
        self.add_check(f"{column} not in ({known})", target, "unknown_value")
        cases = " ".join(f"when {literal(value)} then {literal(to)}" for value, to in values.items())
        return f"case {column} {cases} end"

    def flags(self) -> str:
        """What is odd in the record but readable, as a list of words."""
        numbered = enumerate(self.columns.values(), start=1)
        numbers = [
            is_wrong(f"({personal_number(_value(number, mapping), f'year({self._moment()})')})")
            for number, mapping in numbered
            if mapping.type == "personal_number"
        ]
        return f"case when {' or '.join(numbers)} then ['{FLAG}'] else [] end" if numbers else "[]"

    def add_check(self, is_bad: str, target: str, code: str) -> None:
        """Add a check; `is_bad` is true, false or NULL (not bad)."""
        name = next((name for name, mapping in self.columns.items() if mapping.to == target), None)
        self.checks.append((is_bad, len(self.reasons)))
        self.reasons.append((name, code))

    def _add_checks_of_all_columns(self) -> None:
        numbered = list(enumerate(self.columns.items(), start=1))
        # The second reader saw whether the file has such bytes at all: most have none, and the check costs.
        if self.facts.has_controls:
            for number, (name, _mapping) in numbered:
                self._add(f"regexp_matches(c{number}, {CONTROLS})", name, "control_characters")
        if self.facts.longest_record > LONGEST_FIELD:
            for number, (name, _mapping) in numbered:
                self._add(f"strlen(c{number}) > {LONGEST_FIELD}", name, "too_long")
        for number, (name, mapping) in numbered:
            if mapping.required:
                self._add(f"{_value(number, mapping)} is null", name, "missing_value")
        for number, (name, mapping) in numbered:
            if mapping.type == "integer":
                self._add(f"not regexp_full_match({_value(number, mapping)}, '[0-9]{{1,38}}')", name, "not_a_number")

    def _add(self, is_bad: str, name: str, code: str) -> None:
        self.checks.append((is_bad, len(self.reasons)))
        self.reasons.append((name, code))

    def failure(self) -> str:
        """The number of the first failure, or NULL for a good record."""
        if not self.checks:
            return "null"
        cases = " ".join(f"when {is_bad} then {number}" for is_bad, number in self.checks)
        return f"case {cases} end"

    def hash(self) -> str:
        """SHA-256 over all fields, joined by the unit separator, which no good record holds."""
        fields = ", ".join(f"coalesce(c{number}, '')" for number in range(1, len(self.names) + 1))
        return f"sha256(concat_ws(chr(31), {fields}))"

    def n_breaks(self) -> str:
        """Line feeds inside the record's fields."""
        counts = (f"strlen(c{n}) - strlen(replace(c{n}, chr(10), ''))" for n in range(1, len(self.names) + 1))
        return " + ".join(f"coalesce({count}, 0)" for count in counts)

    def recorded_local(self) -> str:
        """The event's local time as TIMESTAMP, NULL where it is none; adds the checks that say which part is wrong."""
        moment = self._moment()
        is_bad = _outside(moment, EVENT_YEARS)
        if single := self.column("recorded_timestamp"):
            self.add_check(self._missing(single), "recorded_timestamp", "missing_value")
            self.add_check(is_bad, "recorded_timestamp", "not_a_time")
            return moment
        day, time = self.column("recorded_date"), self.column("recorded_time")
        self.add_check(self._missing(str(day)), "recorded_date", "missing_value")
        self.add_check(self._missing(str(time)), "recorded_time", "missing_value")
        date_alone = f"try_strptime({day}, {self._format('recorded_date')})"
        self.add_check(f"({is_bad}) and ({_outside(date_alone, EVENT_YEARS)})", "recorded_date", "not_a_date")
        self.add_check(is_bad, "recorded_time", "not_a_time")
        return moment

    def _moment(self) -> str:
        if single := self.column("recorded_timestamp"):
            return f"try_strptime({single}, {self._format('recorded_timestamp')})"
        day, time = self.column("recorded_date"), self.column("recorded_time")
        formats = f"{self._format('recorded_date')} || ' ' || {self._format('recorded_time')}"
        return f"try_strptime({day} || ' ' || {time}, {formats})"

    def date(self, target: str) -> str:
        """A reference table's date, NULL where empty; adds its check."""
        return f"{self.time(target, 'not_a_date')}::date"

    def time(self, target: str, code: str = "not_a_time") -> str:
        """A reference table's local time as TIMESTAMP, NULL where empty; adds its check."""
        column = self.column(target)
        moment = f"try_strptime({column}, {self._format(target)})"
        # strptime takes the words infinity and epoch; a date has a digit.
        no_digit = f"not regexp_matches({column}, '[0-9]')"
        bad = f"{column} is not null and ({no_digit} or {_outside(moment, REFERENCE_YEARS)})"
        self.add_check(bad, target, code)
        return moment

    def decimal(self, target: str, sql_type: str, *, is_exact: bool = False) -> str:
        """A number with a decimal point or comma, NULL where empty; adds its check.

        is_exact: a number with more decimals than the type keeps is bad too, instead of being rounded.
        """
        column = self.column(target)
        number = f"try_cast(replace({column}, ',', '.') as {sql_type})"
        decimals = f"[0-9]{{1,{sql_type.rstrip(')').split(',')[1]}}}0*" if is_exact else "[0-9]+"
        is_bad = (
            f"{column} is not null and ({number} is null"
            f" or not regexp_full_match({column}, '-?[0-9]+([.,]{decimals})?'))"
        )
        self.add_check(is_bad, target, "not_a_number")
        return number

    def _missing(self, column: str) -> str:
        return f"{column} is null"

    def _format(self, target: str) -> str:
        mapping = self.mapping(target)
        if "'" in mapping.format or "%" not in mapping.format:
            raise SettingsError(
                "The `format` of the column that goes to {target} is not a date or time format.",
                "Write it as for strptime, for example %d.%m.%Y or %H:%M:%S.",
                target=target,
            )
        return f"'{mapping.format}'"


def _value(number: int, mapping: ColumnMapping) -> str:
    """SQL for a column's value, NULL where the log writes that it has none."""
    if not mapping.empty:
        return f"c{number}"
    return f"(case when c{number} not in ({', '.join(literal(value) for value in mapping.empty)}) then c{number} end)"


def literal(text: str) -> str:
    """Quote a text of the mapping for SQL; no value of a log ever becomes one."""
    return "'" + text.replace("'", "''") + "'"


def _outside(moment: str, years: tuple[int, int]) -> str:
    """True where the moment is none or outside the years."""
    return f"coalesce(year({moment}) not between {years[0]} and {years[1]}, true)"
