"""Findings as people read them: a sentence from reason code and values, and names beside the ids."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.catalog import Column
from audit_kernel.evidence.display import format_value
from audit_kernel.yaml_file import Texts

if TYPE_CHECKING:
    from audit_kernel.query import Result
    from audit_kernel.store.reading import Store

SENTENCE = Texts(en="Finding", sv="Iakttagelse", nb="Funn")
EMPLOYEE = Texts(en="Employee's name", sv="Medarbetarens namn", nb="Ansattes navn")
PATIENT = Texts(en="Patient's name", sv="Patientens namn", nb="Pasientens navn")


def with_sentences_and_names(store: Store, result: Result, language: str) -> tuple[pa.Table, dict[str, Column]]:
    """Return a check's findings with the columns `sentence`, `employee_name` and `patient_name` before the others."""
    table = result.table
    sentences = [
        sentence(result, str(code), values, language, store.site.settings.time_zone)
        for code, values in zip(
            table.column("reason_code").to_pylist(), table.column("reason_values").to_pylist(), strict=True
        )
    ]
    added: dict[str, tuple[Texts, list[str | None]]] = {"sentence": (SENTENCE, list(sentences))}
    for kind, label in (("employee", EMPLOYEE), ("patient", PATIENT)):
        ids = [str(value or "") for value in table.column(f"{kind}_id").to_pylist()]
        names = store.names(kind, set(ids))
        added[f"{kind}_name"] = (label, [names.get(value) for value in ids])
    columns: dict[str, Column] = {}
    for name, (label, values) in added.items():
        columns[name] = Column(type="text", label=label, meaning=label, name=name)
        table = table.append_column(name, pa.array(values, pa.string()))
    return table, {**columns, **result.query.description.columns}


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
