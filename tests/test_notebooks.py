"""The notebooks: parameters as their query declares them, no outputs, no logic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit_kernel.catalog import Catalog, resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.evidence.execute import declared_parameters

CATALOG = Catalog()
OWN = sorted(path for path in resource_folder("notebooks").glob("*.ipynb") if f"reports/{path.stem}" in CATALOG.queries)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_reports_notebook_declares_what_its_query_declares(path: Path) -> None:
    wanted = {"run", "language"}
    for name, parameter in CATALOG.query(path.stem, "reports").description.parameters.items():
        wanted |= {"from_date", "to_date"} if parameter.type == "period" else {name}
    assert declared_parameters(path) == wanted


def test_every_cell_is_one_call() -> None:
    for path in resource_folder("notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"][1:]:
            lines = [line for line in "".join(cell["source"]).splitlines() if line and not line.startswith("from ")]
            assert len(lines) <= 1, (path.name, lines)


def test_a_sites_notebook_replaces_the_packages_only_when_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    own = tmp_path / "notebooks" / "activity.ipynb"
    notebook = json.loads((resource_folder("notebooks") / "activity.ipynb").read_text(encoding="utf-8"))
    own.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(SettingsError, match="has the name of a notebook of the package"):
        Catalog(tmp_path)
    notebook["metadata"]["replaces"] = "activity"
    own.write_text(json.dumps(notebook), encoding="utf-8")
    catalog = Catalog(tmp_path)
    assert catalog.notebook("activity") == own
    assert catalog.replaced == ["notebooks/activity.ipynb"]
