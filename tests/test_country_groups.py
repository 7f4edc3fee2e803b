"""Which countries stand where in law, by the package's file and by a site's own."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from audit_kernel.country_groups import country_rows, neighbour_rows
from audit_kernel.errors import SettingsError
from audit_kernel.site import create_site

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
groups:
  - {group: adequate, countries: [CH], valid_from: 2020-01-01, basis: "a"}
  - {group: eea, countries: [CH], valid_to: 2020-01-01, basis: "b"}
neighbours:
  CH: [LI]
"""


def test_a_country_is_in_the_group_of_that_day(tmp_path: Path) -> None:
    rows = country_rows(create_site(tmp_path / "site", country="SE"))
    for country, day, group in (
        ("SE", "2026-10-01", "eu"),
        ("NO", "2026-10-01", "eea"),
        ("HR", "2013-06-30", None),
        ("GB", "2020-01-31", "eu"),
        ("GB", "2020-02-01", "eea"),
        ("GB", "2021-01-01", "adequate"),
        ("GI", "2021-01-01", None),
        ("US", "2020-07-15", "adequate"),
        ("US", "2020-07-16", None),
        ("US", "2023-07-10", "adequate"),
        ("BR", "2026-01-25", None),
        ("BR", "2026-01-26", "adequate"),
        ("RU", "2026-10-01", None),
    ):
        on = date.fromisoformat(day)
        found = [name for one, name, _partial, first, end in rows if one == country and first <= on < end]
        assert found == ([group] if group else []), (country, day)
    assert {country for country, _group, is_partial, *_days in rows if is_partial} == {"CA", "JP", "US"}


def test_the_union_has_its_members_and_neighbours_go_both_ways(tmp_path: Path) -> None:
    site = create_site(tmp_path / "site", country="SE")
    members = {row[0] for row in country_rows(site) if row[1] == "eu" and row[4] == date(9999, 12, 31)}
    assert len(members - {"AX", "GF", "GP", "MF", "MQ", "RE", "YT"}) == 27
    assert {("NO", "SE"), ("SE", "NO")} <= set(neighbour_rows(site))


def test_a_sites_own_file_takes_the_place_of_the_packages(tmp_path: Path) -> None:
    site = create_site(tmp_path / "site", country="SE")
    own = site.folder / "parameters" / "countries.yml"
    own.write_text(OWN, encoding="utf-8")
    assert [row[1] for row in country_rows(site)] == ["eea", "adequate"]
    assert neighbour_rows(site) == [("CH", "LI"), ("LI", "CH")]
    own.write_text(OWN.replace("valid_to: 2020-01-01", "valid_to: 2020-01-02"), encoding="utf-8")
    with pytest.raises(SettingsError, match="CH is in two groups on 2020-01-01"):
        country_rows(site)
    own.write_text(OWN.replace("[LI]", "[Liechtenstein]"), encoding="utf-8")
    with pytest.raises(SettingsError, match="Liechtenstein"):
        neighbour_rows(site)
