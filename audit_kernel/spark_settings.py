"""Where Spark counts: the section `spark` of a site's settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

DUCKDB, SPARK = "duckdb", "spark"


class SparkSettings(BaseModel):
    """The cluster that counts a month's control where the settings say `engine: spark`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    master: str = Field(
        default="local[2]",
        pattern=r"^(local\[([1-9][0-9]*|\*)\]|yarn|(spark|k8s)://[A-Za-z0-9.,:/\[\]_-]+)$",
        description="address of an existing cluster, or local[N]: N cores of this machine",
    )
    options: dict[str, str] = Field(default_factory=dict, description="Spark's own options for that cluster")

    @property
    def is_local(self) -> bool:
        """Whether Spark runs on this machine alone."""
        return self.master.startswith("local[")
