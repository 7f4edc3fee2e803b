"""What a page says of codes that its figures rest on and nobody has confirmed, or the dictionary does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    import pyarrow as pa

    from audit_kernel.query import Result


def notices(result: Result, language: str) -> list[str]:
    """Return a sentence for each kind of odd code, in a language.

    A check's findings are few: what it counts hangs on the codes of the whole period, so that figure is given.
    """
    _ = translator(language)
    if result.query.room == "checks":
        said = [
            (
                result.rows_unconfirmed,
                _(
                    "{count} rows of the period carry a code whose meaning the system's owner has not confirmed. The"
                    " check may have counted them wrongly."
                ),
            ),
            (
                result.rows_unknown_code,
                _(
                    "{count} rows of the period carry a code that the dictionary does not know. The check may have"
                    " counted them wrongly."
                ),
            ),
        ]
    else:
        said = [
            (
                _marked(result.table, "is_confirmed", "n_unconfirmed_codes", is_odd=False),
                _("{count} rows carry a code whose meaning the system's owner has not confirmed."),
            ),
            (
                _marked(result.table, "is_unknown_code", "n_unknown_codes", is_odd=True),
                _("{count} rows carry a code that the dictionary does not know."),
            ),
        ]
    return [text.format(count=format_number(count, language)) for count, text in said if count]


def _marked(table: pa.Table, mark: str, figure: str, *, is_odd: bool) -> int:
    """Count rows of the log: those with the mark, and the figures of rows that sum several up."""
    counted = table.column(mark).to_pylist().count(is_odd) if mark in table.column_names else 0
    return counted + (
        sum(int(value or 0) for value in table.column(figure).to_pylist()) if figure in table.column_names else 0
    )
