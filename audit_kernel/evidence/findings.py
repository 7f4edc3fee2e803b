"""Findings as people read them: a sentence from reason code and values, and names beside the ids."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.catalog import REASON_COLUMNS, Column
from audit_kernel.evidence.display import format_value
from audit_kernel.explanations import titles
from audit_kernel.locale import translator
from audit_kernel.yaml_file import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.query import Result
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

SENTENCE = Texts(en="Finding", sv="Iakttagelse", nb="Funn")
NUMBER = Texts(en="Finding number", sv="Iakttagelsens nummer", nb="Funnets nummer")
KEY = "finding_id"
NUMBER_LENGTH = 13  # a pseudonym's whole, and enough of a hash
NAMES = {
    "employee": Texts(en="Employee's name", sv="Medarbetarens namn", nb="Den ansattes navn"),
    "patient": Texts(en="Patient's name", sv="Patientens namn", nb="Pasientens navn"),
    "unit": Texts(en="Unit's name", sv="Enhetens namn", nb="Enhetens navn"),
}


def with_sentences(result: Result, site: Site, language: str) -> tuple[pa.Table, dict[str, Column]]:
    """Return a check's findings with the column `sentence` before the others, and their reasons in words."""
    table, time_zone = with_reasons_in_words(result.table, titles(site, language)), site.settings.time_zone
    codes, values = table.column("reason_code").to_pylist(), table.column("reason_values").to_pylist()
    sentences = [
        sentence(result, str(code), each, language, time_zone) for code, each in zip(codes, values, strict=True)
    ]
    columns = {"sentence": Column(type="text", label=SENTENCE, meaning=SENTENCE, name="sentence")}
    table = table.append_column("sentence", pa.array(sentences, pa.string()))
    return table, {**columns, **result.query.description.columns}


def with_reasons_in_words(table: pa.Table, words: Mapping[str, str]) -> pa.Table:
    """Return findings whose reasons are written as their titles."""
    for name in REASON_COLUMNS:
        values = [
            [words.get(each, each) for each in ([value] if isinstance(value, str) else value or [])]
            for value in table.column(name).to_pylist()
        ]
        joined = pa.array([", ".join(each) or None for each in values], pa.string())
        table = table.set_column(table.schema.get_field_index(name), name, joined)
    return table


def with_numbers(table: pa.Table, columns: Mapping[str, Column]) -> tuple[pa.Table, dict[str, Column]]:
    """Return findings with the beginning of their keys as the last column shown: what `lab --finding` takes."""
    if KEY not in columns or KEY not in table.column_names:
        return table, dict(columns)
    numbers = pa.array([str(each or "")[:NUMBER_LENGTH] for each in table.column(KEY).to_pylist()], pa.string())
    numbered = table.set_column(table.schema.get_field_index(KEY), KEY, numbers)
    shown = columns[KEY].model_copy(update={"hidden": False, "label": NUMBER})
    return numbered, {**{name: column for name, column in columns.items() if name != KEY}, KEY: shown}


def how_to_follow(language: str) -> str:
    """Say how a finding is opened on the investigator's page."""
    _ = translator(language)
    return _("To follow a finding, take its number in the last column: audit-kernel lab --finding NUMBER")


def with_names(store: Store, table: pa.Table, columns: Mapping[str, Column]) -> tuple[pa.Table, dict[str, Column]]:
    """Return a table with a name beside each shown employee and patient id that has none."""
    named: dict[str, Column] = {}
    for key, column in columns.items():
        named[key] = column
        kind = key.removesuffix("_id")
        name = f"{kind}_name"
        if kind not in NAMES or not key.endswith("_id") or column.hidden or name in columns:
            continue
        ids = [str(value or "") for value in table.column(key).to_pylist()]
        names = store.names(kind, set(ids))
        named[name] = Column(type="text", label=NAMES[kind], meaning=NAMES[kind], name=name)
        table = table.append_column(name, pa.array([names.get(each) for each in ids], pa.string()))
    return table, named


def sentence(result: Result, code: str, values: dict[str, Any] | None, language: str, time_zone: str) -> str:
    """Make the sentence of one finding in a language; values are written as a reader of the language does."""
    template = result.query.description.sentences[code].in_language(language)
    texts = {key: format_value(value, _kind(value), language, time_zone) for key, value in (values or {}).items()}
    return template.format_map(texts)


def _kind(value: Any) -> str:  # noqa: ANN401 - one field of reason_values
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "decimal" if isinstance(value, Decimal | float) else "text"
