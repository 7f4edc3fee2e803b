"""SQL expressions for personal numbers: their one form, and whether the check digits are right.

Sweden (personnummer, samordningsnummer; Skatteverket, SKV 704): YYMMDD and three digits, then the Luhn digit of these
nine. Norway (fødselsnummer, D-nummer; folkeregisterforskriften § 2-2-1): DDMMYY and three digits, then two digits, each
by weights and modulus 11. A samordningsnummer has 60 added to its day, a D-nummer 40: their check digits are those of
the digits as written, and so are those of the authorities' test numbers (birth numbers 980 to 999 in Sweden, month + 80
in Norway), which therefore pass.
"""

from __future__ import annotations

FLAG = "personal_number_checksum"
FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
LUHN_WEIGHTS = (2, 1, 2, 1, 2, 1, 2, 1, 2, 1)


def personal_number(column: str, year: str) -> str:
    """SQL for a personal number in its one form: 11 digits (Norway) or 12 (Sweden); anything else stays as written.

    Ten Swedish digits get their century from `year`, the SQL for the year in which the number was written: with `+` the
    person had turned 100 by then, else was born in the latest year that fits.
    """
    digits = f"regexp_replace({column}, '[ +-]', '', 'g')"
    years = f"({year} - (case when contains({column}, '+') then 100 else 0 end))"
    born = f"({years} - ({years} - try_cast({digits}[1:2] as integer)) % 100)"
    return (
        f"case when regexp_full_match({column}, '[0-9]{{6}} ?[0-9]{{5}}') then {digits} "
        f"when regexp_full_match({column}, '[0-9]{{8}}[+-]?[0-9]{{4}}') then {digits} "
        f"when regexp_full_match({column}, '[0-9]{{6}}[+-]?[0-9]{{4}}') then {born}::varchar || {digits}[3:] "
        f"else {column} end"
    )


def is_wrong(number: str) -> str:
    """SQL that is true where a number in its one form has wrong check digits or is no personal number at all.

    False where there is none.
    """
    products = [f"{_digit(number, place)} * {weight}" for place, weight in enumerate(LUHN_WEIGHTS, start=3)]
    luhn = " + ".join(f"({product}) // 10 + ({product}) % 10" for product in products)
    return (
        f"case when {number} is null then false "
        f"when regexp_full_match({number}, '[0-9]{{12}}') then ({luhn}) % 10 <> 0 "
        f"when regexp_full_match({number}, '[0-9]{{11}}') then "
        f"({_weighted(number, FIRST_WEIGHTS)}) % 11 <> 0 or ({_weighted(number, SECOND_WEIGHTS)}) % 11 <> 0 "
        "else true end"
    )


def _weighted(number: str, weights: tuple[int, ...]) -> str:
    return " + ".join(f"{_digit(number, place)} * {weight}" for place, weight in enumerate(weights, start=1))


def _digit(number: str, place: int) -> str:
    return f"try_cast(substr({number}, {place}, 1) as integer)"
