"""Made-up people: names by Faker, personal numbers that no real person can have.

Norwegian numbers are synthetic as Skatteetaten's Tenor makes them: 80 is added to the month, and both check digits are
right. (For a Swedish world: birth numbers 980 to 999, the series that Skatteverket keeps for tests.)
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from faker import Faker

if TYPE_CHECKING:
    import numpy

SYNTHETIC_MONTH = 80
FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
MODULUS = 11
N_INDIVIDUAL_NUMBERS = 500  # 000 to 499: born 1900 to 1999
SWEDISH_SHARE = 0.08


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


def make_people(
    draws: numpy.random.Generator, n_people: int, born_from: int, born_to: int, swedish_share: float = 0.0
) -> list[Person]:
    """Return `n_people` people born in those years, with different personal numbers."""
    fakers = {locale: Faker(locale) for locale in ("no_NO", "sv_SE")}
    for faker in fakers.values():
        faker.seed_instance(int(draws.integers(2**31)))
    first_day = date(born_from, 1, 1)
    n_days = (date(born_to, 12, 31) - first_day).days + 1
    people: list[Person] = []
    taken: set[str] = set()
    while len(people) < n_people:
        is_female = bool(draws.random() < 0.7)  # noqa: PLR2004 - most who work or live in municipal care are women
        faker = fakers["sv_SE" if draws.random() < swedish_share else "no_NO"]
        first_name = faker.first_name_female() if is_female else faker.first_name_male()
        born = first_day + timedelta(days=int(draws.integers(n_days)))
        individual = int(draws.integers(N_INDIVIDUAL_NUMBERS // 2))
        number = norwegian_test_number(born, is_female=is_female, individual=individual)
        if number is not None and number not in taken:
            taken.add(number)
            people.append(Person(first_name, faker.last_name(), born, number))
    return people


def plain_letters(text: str) -> str:
    """Return the letters A to Z of a name, as log-in names have them."""
    folded = text.upper().translate(str.maketrans("ØÆÅ", "OAA"))
    return "".join(letter for letter in unicodedata.normalize("NFKD", folded) if "A" <= letter <= "Z")
