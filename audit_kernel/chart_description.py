"""What a check's `.yml` says of its chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, model_validator

if TYPE_CHECKING:
    from collections.abc import Container


class ChartDescription(BaseModel):
    """Bars of `value` for each `x` (without `value`: how many rows have it), or a map of `value` by `y` and `x`.

    A funnel has a point for each `employee_id`, by exposure and what nobody accounts for.
    `of` says whose rows: the plain counts, the matrix or the findings; `of_which` is drawn dark within a bar.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["bars", "heat", "funnel"]
    of: Literal["counts", "matrix", "findings"]
    x: str
    y: str = ""
    value: str = ""
    of_which: str = ""

    @model_validator(mode="after")
    def _has_its_parts(self) -> ChartDescription:
        if self.kind == "heat" and not (self.y and self.value):
            raise ValueError("a map needs y and value")
        if self.kind == "funnel" and (self.x, self.value) != ("exposure", "n_unaccounted"):
            raise ValueError("a funnel is of x: exposure and value: n_unaccounted")
        if self.of_which and not self.value:
            raise ValueError("of_which needs value")
        return self

    def refuse_other_columns(self, known: Container[str]) -> None:
        """Refuse a chart of columns that its part does not have.

        Raises
        ------
        ValueError: a column is not among the known.
        """
        for name in filter(None, (self.x, self.y, self.value, self.of_which)):
            if name not in known:
                raise ValueError(f"the chart's column {name!r} does not stand under {self.of}")
