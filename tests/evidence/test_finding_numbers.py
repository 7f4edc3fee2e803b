"""A finding's number on a month's page: what `lab --finding` takes, and the whole key beside the page."""

from __future__ import annotations

import pyarrow as pa
import pytest

from audit_kernel.catalog import finding_columns
from audit_kernel.evidence.findings import KEY, NUMBER_LENGTH, how_to_follow, with_numbers
from audit_kernel.investigation.finding import SHORTEST_NUMBER

KEYS = ["83bd869073455c01d69e39b59638afdc", "F-7F3K2-QMX9T"]


def test_the_number_is_the_last_column_shown_and_long_enough_to_be_looked_up() -> None:
    table = pa.table({KEY: KEYS, "employee_id": ["E1", "E2"]})
    numbered, columns = with_numbers(table, finding_columns())
    assert numbered.column(KEY).to_pylist() == ["83bd869073455", "F-7F3K2-QMX9T"]
    assert list(columns)[-1] == KEY
    assert not columns[KEY].hidden
    assert finding_columns()[KEY].hidden
    assert NUMBER_LENGTH >= SHORTEST_NUMBER


def test_what_are_no_findings_stay_as_they_are() -> None:
    table = pa.table({"employee_id": ["E1"]})
    columns = {"employee_id": finding_columns()["employee_id"]}
    assert with_numbers(table, columns) == (table, columns)
    assert with_numbers(table, finding_columns()) == (table, finding_columns())


@pytest.mark.parametrize("language", ["en", "sv", "nb"])
def test_the_page_says_how_a_finding_is_followed(language: str) -> None:
    assert "audit-kernel lab --finding" in how_to_follow(language)
