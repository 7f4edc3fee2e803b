"""Check digits of personal numbers, by vectors that stand in the authorities' own papers or are worked out by hand."""

from __future__ import annotations

import duckdb
import pytest

from audit_kernel.sources.personal_number import is_wrong, personal_number


def checked(number: str | None) -> bool:
    found = duckdb.execute(f"select {is_wrong('n')} from (select $number::varchar as n)", {"number": number}).fetchone()
    assert found is not None
    return bool(found[0])


RIGHT = [
    "196408233234",  # Skatteverket SKV 704's example of the Luhn digit: 640823-323 gives 4
    "197010632391",  # samordningsnummer of SKV 704's description: day 3 + 60
    "191212121212",  # the test person Tolvan Tolvansson
    "194010029819",  # birth number 981: Skatteverket's test series
    "189001019802",  # birth number 980, another century
    "15108695088",
    "01010750160",  # fødselsnummer 010107-50160: both sums divisible by eleven
    "41010750154",  # the same day as a D-nummer, day 1 + 40
    "02819699804",  # synthetic, month + 80
]


@pytest.mark.parametrize("number", RIGHT)
def test_right_check_digits_pass(number):
    assert checked(number) is False


@pytest.mark.parametrize("number", RIGHT)
def test_any_other_single_digit_is_found(number):
    first = 2 if len(number) == 12 else 0  # the century is not part of the Swedish check
    for place in range(first, len(number)):
        for digit in "0123456789":
            if digit != number[place]:
                assert checked(number[:place] + digit + number[place + 1 :])


@pytest.mark.parametrize("number", ["", "R123", "1234567890", "19640823-3234", "1964082332345", "١٢٣٤٥٦٧٨٩٠١"])
def test_what_is_no_personal_number_in_its_one_form_is_wrong(number):
    assert checked(number)


def test_no_number_is_not_wrong():
    assert not checked(None)


@pytest.mark.parametrize(
    ("written", "year", "stored"),
    [
        ("640823-3234", 2026, "196408233234"),
        ("640823-3234", 2064, "206408233234"),
        ("260823-3234", 2026, "202608233234"),
        ("270823-3234", 2026, "192708233234"),
        ("260823+3234", 2026, "192608233234"),
        ("270823+3234", 2026, "182708233234"),
        ("010107 50160", 2026, "01010750160"),
        ("19640823+3234", 2026, "196408233234"),
        ("64 08 23 3234", 2026, "64 08 23 3234"),
        ("x", 2026, "x"),
        (None, 2026, None),
    ],
)
def test_the_century_comes_from_the_year_in_which_the_number_was_written(written, year, stored):
    sql = f"select {personal_number('n', 'y')} from (select $number::varchar as n, $year::bigint as y)"
    assert duckdb.execute(sql, {"number": written, "year": year}).fetchone() == (stored,)
