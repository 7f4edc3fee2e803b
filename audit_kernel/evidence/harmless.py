"""Log fields are hostile: what disguises, disappears or commands is replaced by a visible mark.

Sources: Unicode TR 36 and TR 39 (bidirectional and invisible characters); OWASP on CSV injection.
"""

from __future__ import annotations

import re
import unicodedata

# Characters that fonts draw as nothing although Unicode does not class them as format characters.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARK_CATEGORIES = frozenset({"Mn", "Me"})
# Two marks on one letter occur in real names (Vietnamese); towers of marks cover the lines around them.
_MAXIMUM_MARKS = 3
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# A cell that begins so is a formula to a spreadsheet (CWE-1236).
FORMULA = "\\s*[=+\\-@\t\r\n\uff0b\uff0d\uff1d\uff20]"
_FORMULA = re.compile(FORMULA)
_PLAIN = re.compile(r"[ -~\u00a0-\u00ac\u00ae-\u02af]*")


def harmless(text: str) -> str:
    """Return ``text`` with every control, invisible or direction-changing character made visible.

    C0 controls become their pictures (NUL is shown as U+2400), all others their number (U+202E in angle brackets).
    Ordinary letters of every script stay. Doing it twice changes nothing more. HTML is not escaped here:
    the template does that.
    """
    if _PLAIN.fullmatch(text):
        return text
    parts = []
    n_marks = 0
    for character in text:
        n_marks = n_marks + 1 if unicodedata.category(character) in _MARK_CATEGORIES else 0
        parts.append(_mark(character) if _is_hidden(character) or n_marks > _MAXIMUM_MARKS else character)
    return "".join(parts)


def neutralise_cell(text: str) -> str:
    """Make a text cell of a CSV file safe to open in a spreadsheet: what could be a formula gets an apostrophe."""
    return f"'{text}" if _FORMULA.match(text) else text


def _is_hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in _HIDDEN_CATEGORIES
        or character in _INVISIBLE
        or _VARIATION_SELECTORS.match(character) is not None
    )


def _mark(character: str) -> str:
    number = ord(character)
    if number < ord(" "):
        return chr(0x2400 + number)
    if number == 0x7F:  # noqa: PLR2004 - delete, the only control character with a picture outside the first 32
        return "\N{SYMBOL FOR DELETE}"
    return f"\N{MATHEMATICAL LEFT ANGLE BRACKET}U+{number:04X}\N{MATHEMATICAL RIGHT ANGLE BRACKET}"
