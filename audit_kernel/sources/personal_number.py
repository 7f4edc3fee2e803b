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
    luhn = " + ".join(
        f"({digit} * {weight}) // 10 + ({digit} * {weight}) % 10"
        for digit, weight in zip(_digits(len(LUHN_WEIGHTS)), LUHN_WEIGHTS, strict=True)
    )
    first, second = _weighted((*FIRST_WEIGHTS, 0)), _weighted(SECOND_WEIGHTS)
    return (
        f"case when {number} is null then false "
        f"when regexp_full_match({number}, '[0-9]{{12}}') then {_of_whole(number, f'({luhn}) % 10 <> 0')} "
        f"when regexp_full_match({number}, '[0-9]{{11}}') then "
        f"{_of_whole(number, f'({first}) % 11 <> 0 or ({second}) % 11 <> 0')} "
        "else true end"
    )


def _of_whole(number: str, test: str) -> str:
    """The test over `whole`, the number as a whole number: a list of one, so that it is worked out once for a row."""
    return f"list_transform([try_cast({number} as bigint)], lambda whole: {test})[1]"


def _weighted(weights: tuple[int, ...]) -> str:
    return " + ".join(f"{digit} * {weight}" for digit, weight in zip(_digits(len(weights)), weights, strict=True))


def _digits(count: int) -> list[str]:
    """The last digits, from the left."""
    return [f"(whole // {10**place} % 10)" for place in range(count - 1, -1, -1)]
