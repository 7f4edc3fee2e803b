"""docs/reference-data.md: each kind with its columns as mapping and table have them, and a readable example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit_kernel import sources
from audit_kernel.store.tables import reference_tables

TEXT = (Path(__file__).parents[2] / "docs" / "reference-data.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", TEXT, re.MULTILINE | re.DOTALL))


def test_every_kind_has_its_section_and_no_other_does():
    assert list(SECTIONS) == list(reference_tables())


@pytest.mark.parametrize("kind", reference_tables())
def test_a_section_gives_each_column_as_table_and_mapping_have_it(kind, folders):
    table, mapping = reference_tables()[kind], sources.load_reference(kind, folders).columns
    assert f"\n{table.meaning}\n" in SECTIONS[kind]
    expected = []
    for name, column in table.columns.items():
        state = "required" if mapping[name].required else "optional" if mapping[name].optional else ""
        values = f": {', '.join(f'`{value}`' for value in column.values)}" if column.values else ""
        words = [word for word in (state, "key" if name in table.key else "") if word]
        expected.append((name, ", ".join(words), f"{column.meaning}{values}"))
        assert mapping[name].required == (not column.nullable)
    found = re.findall(r"^\| `(\w+)` \| (.*?) ?\| (.*) \|$", SECTIONS[kind], re.MULTILINE)
    assert found == expected


@pytest.mark.parametrize("kind", reference_tables())
def test_the_example_of_a_section_can_be_taken_in(kind, folders, connection, tmp_path, temporary):
    example = re.search(r"```\n(.*?)```", SECTIONS[kind], re.DOTALL)
    path = tmp_path / f"{kind}.csv"
    path.write_text(example[1], encoding="utf-8")
    definition = sources.load_reference(kind, folders)
    assert sources.stage_reference(connection, sources.prepare(path, definition, temporary), definition) == 1
    assert connection.execute("select * from staged_quarantine").fetchall() == []
