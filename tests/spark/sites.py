"""Sites whose store Spark can read: made with `engine: spark`, so without encryption."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import yaml

from audit_kernel.demo.generator import generate
from audit_kernel.demo.make import COUNTRY_OF_NETWORK, with_countries
from audit_kernel.demo.settings import WorldSettings
from audit_kernel.site import SETTINGS_FILE, Site, create_site
from audit_kernel.store.connection import transaction, writing
from audit_kernel.store.intake import take_in
from audit_kernel.store.reference import take_in_reference
from audit_kernel.store.tables import LAKE
from audit_kernel.store.workspace import workspace
from audit_kernel.thresholds import FILE as THRESHOLDS_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A small month is planned more than it is counted: nothing is compiled, one task does it.
SMALL: Mapping[str, str] = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m -Duser.timezone=UTC",
}


SMALL_WORLD = WorldSettings(n_months=1, activity=0.03)


def with_engine(site: Site, engine: str = "spark", options: Mapping[str, str] = SMALL) -> Site:
    """Write the engine into the settings."""
    path = site.folder / SETTINGS_FILE
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings |= {"engine": engine, "spark": {"master": "local[2]", "options": dict(options)}}
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return Site(site.folder)


def make_site(folder: Path, country: str, settings: WorldSettings | None = None) -> Site:
    """Return a site with the logs and reference data of a made-up world, in a store for Spark.

    A patient's rows are deleted from it: a store has deletes, and several snapshots from its intakes.
    """
    world = generate(folder, seed=20, settings=settings, country=country)
    made = with_countries(create_site(folder / "site", country), COUNTRY_OF_NETWORK)
    site = with_engine(made, options=SMALL if settings else {})
    for kind, path in world.reference_files.items():
        take_in_reference(site, path, kind)
    for path, source_id in zip(world.log_files, world.sources, strict=True):
        take_in(site, path, source_id)
    delete_some(site)
    tolerate_lacks(site)
    return site


def tolerate_lacks(site: Site) -> None:
    """Let every check be asked: whether a log so thin, and with rows deleted, is whole is not what is compared."""
    reason = dict.fromkeys(("en", "sv", "nb"), "A test.")
    said = {"reason": reason, "approved_by": "a test", "valid_from": date(2020, 1, 1)}
    decided = {
        "incomplete_days_tolerated": [{"value": 31, "unit": "days", **said}],
        "missing_rows_tolerated": [{"value": "1", "unit": "", **said}],
    }
    path = site.folder / "parameters" / THRESHOLDS_FILE
    path.write_text(yaml.safe_dump(decided, allow_unicode=True), encoding="utf-8")


def delete_some(site: Site) -> None:
    """Delete some rows of the log, in both orders, so that its files hold rows that count no more."""
    with workspace(site) as working, writing(site, working) as connection, transaction(connection):
        for stored in ("accesses_by_patient", "accesses_by_employee"):
            connection.execute(f"delete from {LAKE}.{stored} where line_number % 97 = 5")
