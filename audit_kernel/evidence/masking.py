"""Masked evidence: in each result people become keyed pseudonyms before anything of it is shown or written.

`sql/identity.yml` decides column by column; what nobody decided is left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.catalog import Identity, resource_folder
from audit_kernel.errors import NotAssessableError, RunError, UsageError
from audit_kernel.evidence.objects import MIME_TYPE
from audit_kernel.explanations import titles
from audit_kernel.locale import translator
from audit_kernel.pseudonyms import PATTERN, Pseudonyms, pseudonym_key
from audit_kernel.thresholds import FILE
from audit_kernel.yaml_file import Texts, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from audit_kernel.catalog import Column, Query
    from audit_kernel.query import Result
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

FULL, MASKED = "full", "masked"
LONGEST_WORDS = 500  # no dictionary says more; a log may
LANGUAGE_ENDING = re.compile(r"_(en|sv|nb)$")
COUNTRY = re.compile(r"[A-Z]{2}")
NUMBERS_AND_TIMES = (int, float, Decimal, date, time, timedelta)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# whatever a dictionary or the reference data call something other than a person
WORDS = """
    select distinct unnest([
        code, action, area, outcome, activity_en, activity_sv, activity_nb, access_type_en, access_type_sv,
        access_type_nb, meaning_en, meaning_sv, meaning_nb
    ]) as word from codes
    union select unnest([unit_id, name, unit_type, place]) from units
    union select unnest([role, name]) from roles
    union select source_id from sources
    union select purpose from lawful_purposes
    union select role from unit_assignments
    union select name from networks
    order by 1
"""


def identity_of(site: Site, asked: str) -> str:
    """Return how people stand in a run's evidence: as asked, else as the site has it.

    Raises
    ------
    UsageError: it is neither `full` nor `masked`.
    """
    if asked and asked not in (FULL, MASKED):
        raise UsageError("{typed!r} is no way to show people.", "Give full or masked.", typed=asked)
    return asked or site.settings.identity


@lru_cache
def decisions() -> dict[str, Identity]:
    """Return what `sql/identity.yml` decides of each column: one of the words of `catalog.Identity`."""
    content = read_yaml(resource_folder("sql") / "identity.yml")
    return {column: kind for kind, columns in content.items() if kind != "words" for column in columns}


@cache
def decision(query: Query, name: str) -> Identity:
    """Return what becomes of a column of a query, or of a value in its sentences; `left_out` where nobody decided."""
    base = LANGUAGE_ENDING.sub("", name)
    columns = query.description.columns
    own = next((columns[each].identity for each in (name, base) if each in columns), None)
    known = decisions()
    return own or known.get(f"{query.name}.{base}") or known.get(base) or "left_out"


class Mask:
    """What stands between a store and a masked page; one for each scope (`pseudonyms`).

    Parameters
    ----------
    people: whose the pseudonyms are that parameters hold.
    store: returns the open store, for the words that are known.
    """

    def __init__(
        self, site: Site, scope: str, people: Mapping[str, str] | None = None, store: Callable[[], Store] | None = None
    ) -> None:
        self.site, self._store = site, store
        self.pseudonyms = Pseudonyms(pseudonym_key(site.keys_folder), scope)
        self.pseudonyms.known |= people or {}

    @cached_property
    def words(self) -> frozenset[str]:
        """Words that dictionaries, reference data and queries have."""
        own = read_yaml(resource_folder("sql") / "identity.yml")["words"]
        found = self._store().sql(WORDS).column(0).to_pylist() if self._store else []
        return frozenset({*own, *titles(self.site, "en"), *(str(each) for each in found if each)})

    def ids(self, kind: str, values: Iterable[str]) -> frozenset[str]:
        """Return the pseudonyms of people's ids."""
        return frozenset(self.pseudonyms.of(kind, each) for each in values)

    def official(self, name: str) -> str:
        """Return the pseudonym of one who decided, answers or was witness, by the name in settings; empty for none."""
        return self.pseudonyms.of("official", name) if name else ""

    def unmasked(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters with the ids in place of the pseudonyms that are known here."""
        return {name: self._unmasked(value) for name, value in parameters.items()}

    def _unmasked(self, value: Any) -> Any:  # noqa: ANN401 - a parameter of any type
        if isinstance(value, list):
            return sorted(map(self._unmasked, value))
        known = self.pseudonyms.known
        return PATTERN.sub(lambda found: known.get(found[0], found[0]), value) if isinstance(value, str) else value

    def answer(self, ask: Callable[[Mapping[str, Any]], Result], parameters: Mapping[str, Any]) -> Result:
        """Ask with people's ids and return the answer masked.

        Raises
        ------
        NotAssessableError: data are missing.
        RunError: anything else hindered it; the sentence itself could name a person.
        """
        try:
            return self.masked(ask(self.unmasked(parameters)))
        except (NotAssessableError, RunError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it says, it stays here
            raise RunError(
                "A masked question could not be answered ({cause}).",
                "Ask it with --identity full to read why.",
                cause=type(error).__name__,
            ) from None

    def masked(self, result: Result) -> Result:
        """Return a result in which nobody stands under a name or number."""
        description, values = result.query.description, dict(result.parameters)
        for name, parameter in description.parameters.items():
            if parameter.type in ("patient", "employee") and values.get(name) is not None:
                values[name] = self.pseudonyms.of(parameter.type, str(values[name]))
        used = {name: self.decided(name, each) for name, each in result.thresholds.items()}
        return replace(result, table=self.table(result.query, result.table), parameters=values, thresholds=used)

    def decided(self, name: str, decided: Any) -> Any:  # noqa: ANN401 - a Threshold
        """Return a threshold's decision; of a site's own neither the approver's name nor the reason in its words."""
        shipped = read_yaml(resource_folder("parameters") / FILE).get(name, [])
        if decided.reason.en in [each["reason"]["en"] for each in shipped]:
            return decided.model_copy(update={"approved_by": self._approver(decided.approved_by, shipped)})
        return decided.model_copy(
            update={"approved_by": self.official(decided.approved_by), "reason": Texts(en="-", sv="-", nb="-")}
        )

    def _approver(self, name: str, shipped: list[dict[str, Any]]) -> str:
        return name if name in [each["approved_by"] for each in shipped] else self.official(name)

    def table(self, query: Query, table: pa.Table) -> pa.Table:
        """Return a query's rows masked; columns that are left out are empty."""
        people = [
            table.column(name).to_pylist() if name in table.column_names else [None] * table.num_rows
            for name in ("employee_id", "patient_id")
        ]
        for place, name in enumerate(table.column_names):
            column = table.column(name)
            if not _holds_text(column.type):
                continue
            values = column.to_pylist()
            if decision(query, name) == "sampling_unit":
                masked = [self._sampling_unit(*each) for each in zip(values, *people, strict=True)]
            else:
                masked = [self._value(query, name, each) for each in values]
            kind = pa.string() if isinstance(column.type, pa.BaseExtensionType) else column.type
            table = table.set_column(place, name, pa.array(masked, kind))
        return table

    def without_left_out(
        self, query: Query, table: pa.Table, columns: Mapping[str, Column]
    ) -> tuple[pa.Table, dict[str, Column]]:
        """Return rows and columns without those that are left out; `sentence` was made of masked values."""
        left = {
            field.name
            for field in table.schema
            if field.name != "sentence" and _holds_text(field.type) and decision(query, field.name) == "left_out"
        }
        shown = {name: each for name, each in columns.items() if not {name, f"{name}_en"} & left}
        return table.drop_columns(sorted(left)), shown

    def _value(self, query: Query, name: str, value: Any) -> Any:  # noqa: ANN401 - one value of any SQL type
        if value is None or isinstance(value, NUMBERS_AND_TIMES):
            return value
        if isinstance(value, dict):
            return {key: self._value(query, key, each) for key, each in value.items()}
        if isinstance(value, list):
            return [each for each in (self._value(query, name, part) for part in value) if each is not None]
        return self._text(decision(query, name), str(value))

    def _text(self, kind: Identity, text: str) -> str | None:
        if kind == "left_out":
            return None
        if kind == "shown" or text in ("", "-"):
            return text
        if kind == "known":
            return "|".join(part if self.is_known(part.strip()) else self._code(part) for part in text.split("|"))
        if kind == "country" and all(COUNTRY.fullmatch(part) for part in text.split(" - ")):
            return text
        return self.pseudonyms.of(kind, text)

    def _code(self, text: str) -> str:
        return self.pseudonyms.of("known", text)

    def is_known(self, text: str) -> bool:
        """Say whether it is a known word, several of them with blanks between, or a day."""
        if not text or text in self.words or DAY.fullmatch(text):
            return True
        if len(text) > LONGEST_WORDS:
            return False
        ends = (place for place, sign in enumerate(text) if sign == " " and text[:place] in self.words)
        return any(self.is_known(text[place + 1 :]) for place in ends)

    def _sampling_unit(self, key: str | None, employee: str | None, patient: str | None) -> str | None:
        """Return `employee|patient|date` with pseudonyms, or one for anything else."""
        beginning = f"{employee or '-'}|{patient}|"
        if key is None or not (key.startswith(beginning) and DAY.fullmatch(key[len(beginning) :])):
            return None if key is None else self.pseudonyms.of("sampling_unit", key)
        who = self.pseudonyms.of("employee", employee) if employee else "-"
        return f"{who}|{self.pseudonyms.of('patient', str(patient))}|{key[len(beginning) :]}"


def _holds_text(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_holds_text(field.type) for field in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _holds_text(kind.value_type)
    is_plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return not (is_plain or pa.types.is_boolean(kind) or pa.types.is_temporal(kind) or pa.types.is_null(kind))


def masked_notice(language: str) -> str:
    """Return what every masked page says of itself."""
    _ = translator(language)
    return _(
        "Masked: people stand under pseudonyms that only the site's key resolves. Names, free text, words that no"
        " dictionary has, and hashes that could be tried on guesses are left out or replaced. Who knows the"
        " circumstances may still recognise somebody."
    )


def clean_notebook(path: Path, working: Path) -> None:
    """Leave in an executed notebook only what pages are made of, and no folder: a user's name may stand in it."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [each for each in cell["outputs"] if MIME_TYPE in each.get("data", {})]
    content["metadata"].pop("papermill", None)
    text = json.dumps(content, ensure_ascii=False, indent=1)
    path.write_text(text.replace(json.dumps(str(working), ensure_ascii=False)[1:-1], "run"), encoding="utf-8")
