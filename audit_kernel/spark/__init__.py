"""Counts a month's control on Apache Spark, where one machine no longer does; needs the extra `spark` and Java 17."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

from audit_kernel.errors import SettingsError
from audit_kernel.spark_settings import SPARK
from audit_kernel.store.reading import Store

if TYPE_CHECKING:
    from audit_kernel.site import Site
    from audit_kernel.spark.store import SparkStore

NEEDED = ("pyspark", "sqlglot")


def counting_store(
    site: Site, purpose: str, snapshot: int | None = None, threads: int | None = None, control: str = ""
) -> Store:
    """Open the store for a month's control, with the engine that the settings name; arguments as in `Store`.

    Raises
    ------
    SettingsError: the engine is not installed.
    """
    engine = load_store() if site.settings.engine == SPARK else Store
    return engine(site, purpose, snapshot, threads, control, is_counting=True)


def load_store() -> type[SparkStore]:
    """Return the store that Spark answers from.

    Raises
    ------
    SettingsError: the extra `spark` is not installed.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(
            "The settings say `engine: spark`, but {names} is not installed.",
            "Install the package with its extra `spark`, and Java 17; or write `engine: duckdb`.",
            names=", ".join(missing),
        )
    with warnings.catch_warnings():  # it says that it knows pandas 3 only in part, of which nothing is used here
        warnings.simplefilter("ignore", FutureWarning)
        from audit_kernel.spark.store import SparkStore
    return SparkStore
