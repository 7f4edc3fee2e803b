"""Sites with an empty store, copied from one made once: making the tables is what takes time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit_kernel.site import Site, create_site
from audit_kernel.store.connection import writing
from tests.store.logs import add_plain_source, gerica_file, plain_file
from tests.store.servers import Postgres, running_postgres

COUNTRIES = ("NO", "SE")


@pytest.fixture(scope="session")
def empty_sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One site of each country with its tables made and nothing in them."""
    folder = tmp_path_factory.mktemp("sites")
    for country in COUNTRIES:
        site = create_site(folder / country, country, "Test kommune")
        add_plain_source(site)
        if country == "NO":
            with writing(site, site.temporary_folder):
                pass
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; each test takes a new database."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def site(empty_sites: Path, tmp_path: Path) -> Site:
    """A Norwegian site with an empty store."""
    shutil.copytree(empty_sites / "NO", tmp_path / "site")
    return Site(tmp_path / "site")


@pytest.fixture
def swedish_site(empty_sites: Path, tmp_path: Path) -> Site:
    """A Swedish site without a store."""
    shutil.copytree(empty_sites / "SE", tmp_path / "swedish")
    return Site(tmp_path / "swedish")


@pytest.fixture
def gerica(tmp_path: Path) -> Callable[..., Path]:
    """Write Gerica exports: gerica("a.csv", [row(1), ...])."""
    return lambda name, rows, encoding="utf-8": gerica_file(tmp_path / name, rows, encoding)


@pytest.fixture
def plain(tmp_path: Path) -> Callable[..., Path]:
    """Write exports of the log without own ids."""
    return lambda name, rows: plain_file(tmp_path / name, rows)
