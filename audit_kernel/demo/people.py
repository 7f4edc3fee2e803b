"""Made-up people: names by Faker, personal numbers that no real person can have.

Norwegian numbers are synthetic as Skatteetaten's Tenor makes them: 80 is added to the month, and both check digits are
right. Swedish numbers have birth numbers 980 to 999, the series of Skatteverket's test numbers; but before 1990 such
numbers were also given to people who moved to Sweden, so 80 is added to the month here too: no calendar has that day.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from faker import Faker

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy

SYNTHETIC_MONTH = 80
FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
MODULUS = 11
N_INDIVIDUAL_NUMBERS = 500  # 000 to 499: born 1900 to 1999
FIRST_TEST_NUMBER, N_TEST_NUMBERS = 980, 20
LOCALES = {"NO": ("no_NO", "sv_SE"), "SE": ("sv_SE", "no_NO")}  # the own names and the neighbour's
NEIGHBOUR_SHARE = 0.08  # of the staff, from the other country


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person."""

    first_name: str
    last_name: str
    born: date
    personal_number: str

    @property
    def name(self) -> str:
        """Full name."""
        return f"{self.first_name} {self.last_name}"


def check_digits(nine: str) -> str | None:
    """Return the two check digits of a Norwegian number's nine first digits; None where none fit."""
    digits = [int(digit) for digit in nine]
    for weights in (FIRST_WEIGHTS, SECOND_WEIGHTS):
        digit = -sum(weight * value for weight, value in zip(weights, digits, strict=True)) % MODULUS
        if digit == MODULUS - 1:
            return None
        digits.append(digit)
    return f"{digits[-2]}{digits[-1]}"


def norwegian_test_number(born: date, *, is_female: bool, individual: int) -> str | None:
    """Return the synthetic number of that birthday and individual number, 0 to 249; None where none fits."""
    number = individual * 2 + (0 if is_female else 1)
    nine = f"{born.day:02d}{born.month + SYNTHETIC_MONTH:02d}{born.year % 100:02d}{number:03d}"
    digits = check_digits(nine)
    return None if digits is None else nine + digits


def luhn_digit(nine: str) -> int:
    """Return the check digit of a Swedish number's nine digits (SKV 704)."""
    products = [int(digit) * (2 - place % 2) for place, digit in enumerate(nine)]
    return -sum(product // 10 + product % 10 for product in products) % 10


def swedish_test_number(born: date, *, is_female: bool, individual: int) -> str:
    """Return the synthetic number of that birthday and individual number, 0 to 9; its check digit is right."""
    birth_number = FIRST_TEST_NUMBER + individual * 2 % N_TEST_NUMBERS + (0 if is_female else 1)
    nine = f"{born.year % 100:02d}{born.month + SYNTHETIC_MONTH:02d}{born.day:02d}{birth_number}"
    return f"{born.year}{nine[2:]}{luhn_digit(nine)}"


TEST_NUMBERS: dict[str, Callable[..., str | None]] = {"NO": norwegian_test_number, "SE": swedish_test_number}


def make_people(
    draws: numpy.random.Generator,
    n_people: int,
    born: tuple[int, int],
    neighbour_share: float = 0.0,
    country: str = "NO",
) -> list[Person]:
    """Return `n_people` people born in the years `born`, the last included, with different personal numbers."""
    fakers = {locale: Faker(locale) for locale in ("no_NO", "sv_SE")}
    own, neighbour = LOCALES[country]
    test_number = TEST_NUMBERS[country]
    for faker in fakers.values():
        faker.seed_instance(int(draws.integers(2**31)))
    first_day = date(born[0], 1, 1)
    n_days = (date(born[1], 12, 31) - first_day).days + 1
    people: list[Person] = []
    taken: set[str] = set()
    while len(people) < n_people:
        is_female = bool(draws.random() < 0.7)  # noqa: PLR2004 - most who work or live in municipal care are women
        faker = fakers[neighbour if draws.random() < neighbour_share else own]
        first_name = faker.first_name_female() if is_female else faker.first_name_male()
        birthday = first_day + timedelta(days=int(draws.integers(n_days)))
        individual = int(draws.integers(N_INDIVIDUAL_NUMBERS // 2))
        number = test_number(birthday, is_female=is_female, individual=individual)
        if number is not None and number not in taken:
            taken.add(number)
            people.append(Person(first_name, faker.last_name(), birthday, number))
    return people


def plain_letters(text: str) -> str:
    """Return the letters A to Z of a name, as log-in names have them."""
    folded = text.upper().translate(str.maketrans("ØÆÅ", "OAA"))
    return "".join(letter for letter in unicodedata.normalize("NFKD", folded) if "A" <= letter <= "Z")
