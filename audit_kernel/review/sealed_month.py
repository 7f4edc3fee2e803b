"""A finished month's sealed run, verified, and its result tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from audit_kernel.errors import MonthIncompleteError, UsageError
from audit_kernel.evidence.month import KIND, month_days
from audit_kernel.evidence.sealed_bag import newest_bag, refuse_disposed
from audit_kernel.identity import everybody
from audit_kernel.pseudonyms import PATTERN, pseudonym_key
from audit_kernel.sample_journal import Draw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from audit_kernel.evidence.sealed_bag import SealedBag
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

REVEALED = frozenset({"employee_id", "patient_id", "reviewer_id", "sentence"})


@dataclass(frozen=True)
class SealedMonth:
    """A month's run: its folder, the SHA-256 of its tagmanifest-sha256.txt, its language, and its sample's seed.

    Where no sample was drawn the run's own SHA-256 is the seed. Of a masked run `scope` is that of its pseudonyms, and
    `people` and `names` say whose they are (`unmasked`).
    """

    month: str
    folder: Path
    sha256: str
    language: str
    seed: str = ""
    scope: str = ""
    people: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def table(self, name: str) -> pa.Table | None:
        """Return a result table, None where the run has none of that name."""
        import pyarrow.parquet

        path = self.folder / "data" / "tables" / f"{name}.parquet"
        if not path.is_file():
            return None
        table = pyarrow.parquet.read_table(path)
        return self._with_people(table) if self.people else table

    def _with_people(self, table: pa.Table) -> pa.Table:
        """Return a masked run's table with ids and names; findings and sampling units keep their sealed keys."""
        import pyarrow as pa

        def revealed(text: str | None) -> str | None:
            return text and PATTERN.sub(lambda found: self.people.get(found[0], found[0]), text)

        for name in REVEALED & set(table.column_names):
            values = pa.array(map(revealed, table.column(name).to_pylist()), pa.string())
            table = table.set_column(table.schema.get_field_index(name), name, values)
        for kind in self.names:
            if f"{kind}_id" in table.column_names:
                names = [self.names[kind].get(str(each)) for each in table.column(f"{kind}_id").to_pylist()]
                table = table.append_column(f"{kind}_name", pa.array(names, pa.string()))
        return table


def unmasked(site: Site, month: SealedMonth, store: Store) -> SealedMonth:
    """Return a masked month with what its lists need: whose its pseudonyms are. Any other month is returned as it is.

    Raises
    ------
    KeyFileError: the pseudonyms' key is missing or cannot be read.
    """
    if not month.scope:
        return month
    people = everybody(store, pseudonym_key(site.keys_folder, is_made=False), month.scope)
    names = {kind: store.names(kind, set(people.values())) for kind in ("employee", "patient")}
    return replace(month, people=people, names=names)


def sealed_month(site: Site, month: str) -> SealedMonth:
    """Return the newest run of a month; for what it raises see `finished_month`."""
    bag = finished_month(site, month)
    drawn = bag.asked.get("sample_draw")
    seed = (Draw.from_plain(drawn).seed if drawn else "") or bag.sha256
    return SealedMonth(month, bag.folder, bag.sha256, bag.language, seed, str(bag.asked.get("identity_scope", "")))


def finished_month(site: Site, month: str) -> SealedBag:
    """Return the sealed bag of a month's newest run.

    Raises
    ------
    UsageError: it is no month, it has not been run, or its evidence was disposed of.
    VerificationError: the run was changed after it was sealed.
    MonthIncompleteError: a notebook of it failed.
    KeyFileError: the site's public key is missing.
    """
    month_days(month)
    bag = newest_bag(site, month, KIND)
    if bag is None:
        refuse_disposed(site, month)
        raise UsageError(
            "The month {month} has no sealed run.", "Run it first: audit-kernel month {month}", month=month
        )
    failed = [each["page"] for each in bag.worked["pages"] if not each["succeeded"]]
    if failed:
        raise MonthIncompleteError(
            "Not everything ran: {names} failed; the sealed pages say why.",
            "Remove the cause and run the month again; the failed run stays.",
            names=", ".join(failed),
        )
    return bag
