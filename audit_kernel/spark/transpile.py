"""Turns a statement of the product's own SQL, written for DuckDB, into Spark SQL with the same result.

sqlglot does the most of it; each rule below names a difference that it leaves. No text is written twice.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What was made for a question, and its views, of which there are none, as they stand in DuckDB's own lists.
MADE, MADE_VIEWS = "made_tables", "made_views"
LISTS = {"duckdb_columns": MADE, "duckdb_views": MADE_VIEWS}
LAKE_PREFIX = "lake_"  # a stored table's name in Spark: temporary views lie in no database
UUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
TRUNCATED_UNITS = frozenset({"SECOND", "MINUTE", "HOUR", "MONTH", "YEAR"})
GROUP_REFERENCE = re.compile(r"\\([0-9])")


@cache
def parsed(text: str) -> exp.Expr:
    """Return the statement, its stored tables renamed and its differences evened out; not to be changed.

    Raises
    ------
    sqlglot.errors.SqlglotError: it is no statement that sqlglot reads.
    """
    statement = sqlglot.parse_one(text, read="duckdb")
    unnamed = [mark for mark in statement.find_all(exp.Placeholder, bfs=False) if not mark.args.get("this")]
    for place, mark in enumerate(unnamed, start=1):
        mark.set("this", f"value_{place}")
    # from the leaves up: what stands inside another difference is evened out too
    for node in reversed(list(statement.walk())):
        rule = RULES.get(type(node))
        evened = rule(node) if rule else node
        if evened is not node:
            node.replace(evened)
    return statement


@cache
def named_parameters(text: str) -> frozenset[str]:
    """Return the names of the values that a statement is to be run with."""
    return frozenset(mark.name for mark in parsed(text).find_all(exp.Placeholder))


def spark_sql(statement: exp.Expr, casts: Mapping[str, str], values: Mapping[str, object]) -> str:
    """Return Spark's text.

    Parameters
    ----------
    casts: type of Spark by name of each value that is handed over as text: a date or a timestamp.
    values: by name; only whole numbers of a window's frame are read, because Spark binds no value there.

    Raises
    ------
    sqlglot.errors.UnsupportedError: Spark has nothing like it.
    """

    def typed(node: exp.Expr) -> exp.Expr:
        if (
            isinstance(node, exp.Mul)
            and isinstance(node.expression, exp.Interval)
            and node.find_ancestor(exp.WindowSpec)
        ):
            length = int(str(values[node.this.name])) * int(node.expression.this.name)
            return exp.Interval(this=exp.Literal.string(str(length)), unit=node.expression.args["unit"])
        if isinstance(node, exp.Placeholder) and node.name in casts:
            return exp.Cast(this=node, to=exp.DataType.build(casts[node.name], dialect="spark"))
        return node

    return statement.transform(typed).sql("spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def _table(node: exp.Expr) -> exp.Expr:
    if isinstance(node.this, exp.Anonymous) and node.this.name.lower() in LISTS:
        return exp.to_table(LISTS[node.this.name.lower()])
    if node.args.get("db") and node.text("db") == "lake":
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name)))
        node.set("this", exp.to_identifier(f"{LAKE_PREFIX}{node.name}"))
        node.set("db", None)
    return node


def _select(node: exp.Expr) -> exp.Expr:
    """Two lists taken apart side by side are paired by DuckDB; Spark would give each with each."""
    if sum(isinstance(each.unalias(), exp.Explode | exp.Unnest) for each in node.expressions) > 1:
        message = "two lists side by side"
        raise UnsupportedError(message)
    return node


def _percentile(node: exp.Expr) -> exp.Expr:
    """An exact percentile: sqlglot writes an approximate one."""
    if not isinstance(node.this, exp.PercentileCont):
        return node
    (order,) = node.expression.expressions
    return exp.Anonymous(this="percentile", expressions=[order.this, node.this.this])


def _parameter(node: exp.Expr) -> exp.Expr:
    return exp.Placeholder(this=node.name)


def _cast(node: exp.Expr) -> exp.Expr:
    """A UUID is text in five parts: Spark has no such type."""
    if node.args["to"].is_type(exp.DataType.Type.UUID):
        if isinstance(node.this, exp.Null):
            return exp.cast(node.this, "text")
        digits = node.this
        parts = [exp.func("substr", digits.copy(), *map(exp.Literal.number, part)) for part in UUID_PARTS]
        return exp.func("concat_ws", exp.Literal.string("-"), *parts)
    return node


def _division(node: exp.Expr) -> exp.Expr:
    """What is divided is a floating-point number in DuckDB, and NULL where the divisor is 0."""
    dividend, divisor = (exp.cast(each.unnest(), "double") for each in (node.this, node.expression))
    return exp.Div(this=dividend, expression=_not_zero(divisor), typed=True, safe=True)


def _whole_division(node: exp.Expr) -> exp.Expr:
    node.set("expression", _not_zero(node.expression))
    return node


def _not_zero(divisor: exp.Expr) -> exp.Expr:
    if isinstance(divisor.unnest(), exp.Literal):
        return divisor
    return exp.Nullif(this=divisor.unnest(), expression=exp.Literal.number(0))


def _date_diff(node: exp.Expr) -> exp.Expr:
    """DuckDB counts the borders between two times, Spark the whole units."""
    unit = node.text("unit").upper()
    later, earlier = node.this, node.expression
    if unit == "DAY":
        return exp.Anonymous(this="datediff", expressions=[later, earlier])
    if unit in TRUNCATED_UNITS:
        later, earlier = (
            exp.Anonymous(this="date_trunc", expressions=[exp.Literal.string(unit), each]) for each in (later, earlier)
        )
    return exp.Anonymous(this="timestampdiff", expressions=[exp.var(unit), earlier, later])


def _truncated(node: exp.Expr) -> exp.Expr:
    """A time without offset stays one."""
    return exp.Cast(this=node.copy(), to=exp.DataType.build("timestamp_ntz", dialect="spark"))


def _extract(node: exp.Expr) -> exp.Expr:
    """A second with its fraction in Spark, a whole one in DuckDB."""
    if node.name.upper() == "SECOND":
        return exp.Anonymous(this="second", expressions=[node.expression])
    return node


def _regexp_replace(node: exp.Expr) -> exp.Expr:
    replacement = node.args.get("replacement")
    if isinstance(replacement, exp.Literal):
        node.set("replacement", exp.Literal.string(GROUP_REFERENCE.sub(r"$\1", replacement.this)))
    node.set("modifiers", None)  # Spark replaces all; the package's own that replace the first are anchored
    return node


def _ordered_lists(node: exp.Expr) -> exp.Expr:
    """Spark has no order within an aggregate: pairs are sorted, then cut; no row gives NULL, not an empty list."""
    aggregate = node.this if isinstance(node, exp.Filter) else node
    is_list = isinstance(aggregate, exp.ArrayAgg) and isinstance(aggregate.this, exp.Order)
    if not is_list or isinstance(node.parent, exp.Filter):  # its filter goes first
        return node
    ordered, condition = aggregate.this, node.expression if isinstance(node, exp.Filter) else None
    value, keys = ordered.this, [each.this for each in ordered.expressions]
    collecting = "collect_list"
    if isinstance(value, exp.Distinct):
        (value,) = value.expressions
        collecting, keys = "collect_set", []
    named = {**{f"key_{place}": key for place, key in enumerate(keys)}, "value": value}
    fields = [each for name, field in named.items() for each in (exp.Literal.string(name), field.copy())]
    pair = exp.Anonymous(this="named_struct", expressions=fields)
    collected: exp.Expr = exp.Anonymous(this=collecting, expressions=[pair])
    if condition is not None:
        collected = exp.Filter(this=collected, expression=condition)
    field = exp.Dot(this=exp.to_identifier("pair"), expression=exp.to_identifier("value"))
    cut = exp.Anonymous(
        this="transform",
        expressions=[
            exp.Anonymous(this="array_sort", expressions=[collected]),
            exp.Lambda(this=field, expressions=[exp.to_identifier("pair")]),
        ],
    )
    return exp.Anonymous(this="nullif", expressions=[cut, exp.Anonymous(this="array", expressions=[])])


RULES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Table: _table,
    exp.Select: _select,
    exp.WithinGroup: _percentile,
    exp.Parameter: _parameter,
    exp.Cast: _cast,
    exp.Div: _division,
    exp.IntDiv: _whole_division,
    exp.Mod: _whole_division,
    exp.DateDiff: _date_diff,
    exp.Extract: _extract,
    exp.TimestampTrunc: _truncated,
    exp.ArrayAgg: _ordered_lists,
    exp.Filter: _ordered_lists,
    exp.RegexpReplace: _regexp_replace,
}
