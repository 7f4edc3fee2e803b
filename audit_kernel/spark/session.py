"""Starts Spark: on this machine without any network service beyond the loopback, or as a driver of a cluster."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audit_kernel.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

    from audit_kernel.spark_settings import SparkSettings

LOOPBACK = "127.0.0.1"
# What makes Spark answer as DuckDB does: an overflow and a bad cast are errors, times have no offset.
SAME_ANSWERS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
}
# What is spilled and what goes between processes is log text.
PROTECTED = {
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    "spark.io.encryption.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.eventLog.enabled": "false",
    "spark.sql.maxPlanStringLength": "0",
}
ON_ONE_MACHINE = {
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.host": LOOPBACK,
    "spark.sql.shuffle.partitions": "2",
}


def configuration(settings: SparkSettings, memory_limit: str, temporary: Path) -> Mapping[str, str]:
    """Return every option that the session is started with."""
    return {
        "spark.master": settings.master,
        "spark.app.name": "audit-kernel",
        "spark.local.dir": str(temporary),
        "spark.sql.warehouse.dir": str(temporary / "warehouse"),
        "spark.driver.memory": memory_limit.removesuffix("B").lower(),
        "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Xss4m -Djava.io.tmpdir={temporary}",
        **(ON_ONE_MACHINE if settings.is_local else {}),
        **settings.options,
        **SAME_ANSWERS,  # last: no option of a cluster changes an answer
        **PROTECTED,
    }


@contextmanager
def spark_session(settings: SparkSettings, memory_limit: str, temporary: Path) -> Iterator[SparkSession]:
    """Give a session, which is stopped at the end.

    Raises
    ------
    StoreError: Java is missing, or the cluster does not answer.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder
    for name, value in configuration(settings, memory_limit, temporary).items():
        builder = builder.config(name, value)
    before = os.environ.get("SPARK_LOCAL_IP")
    if settings.is_local:
        os.environ["SPARK_LOCAL_IP"] = LOOPBACK
    try:
        session = builder.getOrCreate()
    except (PySparkException, RuntimeError, OSError) as error:
        raise StoreError(
            "Spark cannot be started at {master!r} ({cause}).",
            "Check that Java 17 is installed and that the cluster answers; nothing was counted.",
            master=settings.master,
            cause=type(error).__name__,
        ) from None
    finally:
        if before is None:
            os.environ.pop("SPARK_LOCAL_IP", None)
    try:
        # A task's failure quotes values of the log, and so does what is told of the text that failed.
        session.sparkContext.setLogLevel("OFF")
        logging.getLogger("SQLQueryContextLogger").disabled = True
        yield session
    finally:
        session.stop()
