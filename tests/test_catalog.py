from __future__ import annotations

import shutil

import pytest

from audit_kernel.catalog import Catalog, resource_folder
from audit_kernel.errors import SettingsError, UsageError

REPORTS = {"activity", "detailed_activity", "system_log", "blocked_searches", "patient_searches"}


@pytest.fixture
def reports(tmp_path):
    """The folder of a site's own reports."""
    folder = tmp_path / "sql" / "reports"
    folder.mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    return folder


def copy_report(folder, name, new_name):
    for ending in ("sql", "yml"):
        shutil.copy(resource_folder("sql") / "reports" / f"{name}.{ending}", folder / f"{new_name}.{ending}")


def test_the_packages_queries_are_found_with_their_descriptions():
    catalog = Catalog()
    assert {query.name for query in catalog.queries.values() if query.room == "reports"} >= REPORTS
    assert catalog.query("blocked_searches").room == "reports"
    assert catalog.query("blocked_searches", "checks").room == "checks"
    assert not any(name.endswith(".events") for name in catalog.queries)


def test_a_sites_own_query_is_two_files(reports, tmp_path):
    copy_report(reports, "activity", "own")
    catalog = Catalog(tmp_path)
    assert catalog.query("own").path == reports / "own.sql"
    assert catalog.replaced == []
    assert catalog.query("own").sql_hash == Catalog().query("activity").sql_hash


def test_a_query_with_the_packages_name_must_say_that_it_replaces_it(reports, tmp_path):
    copy_report(reports, "activity", "activity")
    with pytest.raises(SettingsError, match=r"has the name of a query of the package\..*`replaces: activity`"):
        Catalog(tmp_path)
    with (reports / "activity.yml").open("a") as file:
        file.write("\nreplaces: activity\n")
    catalog = Catalog(tmp_path)
    assert catalog.query("activity").path == reports / "activity.sql"
    assert catalog.replaced == ["sql/reports/activity.sql"]


def test_a_query_without_description_or_with_a_wrong_one_is_refused(reports, tmp_path):
    copy_report(reports, "activity", "own")
    (reports / "own.yml").rename(reports / "aside")
    with pytest.raises(SettingsError, match=r"own\.yml cannot be read"):
        _ = Catalog(tmp_path).query("own").description
    text = (reports / "aside").read_text(encoding="utf-8")
    (reports / "own.yml").write_text(text.replace("type: patient", "type: person", 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"parameters\.patient_id\.type' has the value 'person'; Input should be"):
        _ = Catalog(tmp_path).query("own").description
    (reports / "own.yml").write_text(text + "\ncolour: red\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="unknown key 'colour'; allowed here: chart, columns"):
        _ = Catalog(tmp_path).query("own").description


def test_a_name_that_is_not_there_lists_those_that_are(tmp_path):
    with pytest.raises(UsageError, match=r"There is no query 'activty'\. There are: abnormal_times, access_reasons"):
        Catalog().query("activty")
    with pytest.raises(UsageError, match="There is no notebook 'activty'"):
        Catalog(tmp_path).notebook("activty")


def test_a_check_without_a_notebook_of_its_own_is_shown_by_the_common_one(reports, tmp_path):
    assert Catalog().notebook("activity").name == "activity.ipynb"
    assert Catalog(tmp_path).notebook("checks/many_accesses").name == "check.ipynb"
    (tmp_path / "notebooks" / "check_many_accesses.ipynb").write_text("{}")
    assert Catalog(tmp_path).notebook("checks/many_accesses").name == "check_many_accesses.ipynb"
    (tmp_path / "notebooks" / "activity.ipynb").write_text("{}")
    with pytest.raises(SettingsError, match="has the name of a notebook of the package"):
        Catalog(tmp_path).notebook("activity")
