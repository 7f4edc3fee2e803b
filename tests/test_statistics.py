"""Statistics against published tables and by enumeration."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from audit_kernel import statistics
from audit_kernel.errors import SettingsError
from audit_kernel.peers import negative_binomial_tail

if TYPE_CHECKING:
    from collections.abc import Mapping

VECTORS = Path(__file__).parents[2] / "shared" / "stats"


def vectors(name: str) -> dict[str, Any]:
    """Return one file of published values."""
    if not VECTORS.is_dir():
        pytest.skip(
            "This test reads published figures in ../shared/stats, which is not part of the project and is not here."
        )
    found: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return found


def test_exact_limits_agree_with_newcombe() -> None:
    """Newcombe (1998), Table I, method 5."""
    published = vectors("newcombe1998.json")
    for case, computed in zip(published["cases"], published["computed_cp"], strict=True):
        limits = statistics.clopper_pearson(case["x"], case["n"])
        assert [round(limit, 4) for limit in limits] == case["cp"]
        assert limits == pytest.approx(computed, abs=1e-12)


def test_limits_of_none_and_of_all_reach_the_ends() -> None:
    assert statistics.clopper_pearson(0, 10)[0] == 0
    assert statistics.clopper_pearson(10, 10)[1] == 1
    assert statistics.upper_limit(10, 10) == 1


def test_upper_limits_agree_with_the_auditors_table() -> None:
    """AICPA, Appendix A, table A-3, in per cent rounded up to one decimal."""
    for size, limits in vectors("aicpa_attribute_tables.json")["A3_upper_limit_pct_risk5"].items():
        computed = [statistics.percent_up(statistics.upper_limit(found, int(size))) for found in range(len(limits))]
        assert computed == [Decimal(str(limit)) for limit in limits]


def test_tails_agree_with_the_computed_ones() -> None:
    for case in vectors("poisson_nb_tails.json")["cases"]:
        tail = negative_binomial_tail(case["k"], case["mean"], case.get("alpha", 0))
        assert tail == pytest.approx(case["sf"], rel=1e-9)


def test_a_tail_from_zero_is_certain_and_nothing_expected_is_impossible() -> None:
    assert negative_binomial_tail(0, 3, 1) == 1
    assert negative_binomial_tail(1, 0, 1) == 0


def test_adjusted_chances_agree_with_benjamini_and_hochberg() -> None:
    """The fifteen p-values of their paper, four rejected; the order given does not matter."""
    published = vectors("bh1995.json")
    adjusted = statistics.benjamini_hochberg(published["p"])
    assert adjusted == pytest.approx(published["computed"]["adjusted"], abs=1e-12)
    assert sum(chance <= published["q_star"] for chance in adjusted) == published["published"]["rejected"]
    assert statistics.benjamini_hochberg(published["p"][::-1]) == pytest.approx(adjusted[::-1], abs=1e-12)


def test_no_chances_are_adjusted_to_none() -> None:
    assert len(statistics.benjamini_hochberg([])) == 0


def test_the_exact_chance_agrees_with_counting_every_sample() -> None:
    for bad in range(7):
        for size in range(1, 7):
            samples = list(combinations(range(6), size))
            for found in range(3):
                ways = sum(sum(unit < bad for unit in sample) <= found for sample in samples)
                assert statistics.chance_of_at_most(found, size, 6, bad) == Fraction(ways, len(samples))


def test_the_upper_bound_is_the_last_number_not_ruled_out() -> None:
    risk = Fraction(1, 20)
    for found in range(3):
        bound = statistics.hypergeometric_upper_bound(found, 20, 100, "0.95")
        assert statistics.chance_of_at_most(found, 20, 100, bound) > risk
        assert statistics.chance_of_at_most(found, 20, 100, bound + 1) <= risk


def test_a_full_count_leaves_no_doubt() -> None:
    assert statistics.hypergeometric_upper_bound(2, 50, 50) == 2


def rows_of(rows: list[tuple[str, str, str, int]]) -> pa.Table:
    """Return rows of a check whose tails are known: finding, stream, tail and measure; the least measure is 10."""
    names, streams, tails, measures = zip(*rows, strict=True) if rows else ((), (), (), ())
    least = [{"least": 10}] * len(rows)
    return pa.table(
        {
            "finding_id": pa.array(names, pa.string()),
            "stream": pa.array(streams, pa.string()),
            "tail_probability": pa.array([Decimal(tail) for tail in tails], pa.decimal128(19, 18)),
            "measure": pa.array([Decimal(measure) for measure in measures], pa.decimal128(18, 4)),
            "reason_values": pa.array(least, pa.struct([("least", pa.int64())])),
        }
    )


def kept(rows: list[tuple[str, str, str, int]], rate: str = "0.05") -> list[str]:
    found = statistics.assess(rows_of(rows), ["benjamini_hochberg"], {"false_discovery_rate": rate})
    assert found.schema == rows_of(rows).schema
    return [str(each) for each in found["finding_id"].to_pylist()]


def test_what_is_rare_enough_among_all_tests_is_kept_in_the_order_it_came() -> None:
    rows = [("d", "anomaly", "0.9", 20), ("c", "anomaly", "0.02", 20), ("b", "anomaly", "0.01", 20)]
    assert kept([*rows, ("a", "anomaly", "0.6", 20)]) == ["c", "b"]
    assert kept([*rows, *[(f"{n}", "anomaly", "0.9", 20) for n in range(9)]]) == []


def test_fewer_than_the_least_is_a_test_but_never_a_finding() -> None:
    assert kept([("a", "anomaly", "0", 9), ("b", "anomaly", "0.024", 10)]) == ["b"]
    assert kept([("a", "anomaly", "0", 9), ("b", "anomaly", "0.026", 10)]) == []


def test_a_finding_with_two_tests_is_kept_once_by_the_rarer() -> None:
    rows = rows_of([("a", "anomaly", "0.01", 30), ("a", "anomaly", "0.001", 20), ("b", "anomaly", "0.5", 20)])
    found = statistics.assess(rows, ["benjamini_hochberg"], {"false_discovery_rate": "0.05"})
    assert found["measure"].to_pylist() == [Decimal(20)]


def test_breaches_and_targeted_rows_pass_untouched_come_first_and_are_no_tests() -> None:
    rows = [("a", "breach", "0.9", 1), ("b", "anomaly", "0.04", 20), ("c", "targeted", "0.9", 1)]
    assert kept(rows) == ["a", "c", "b"]
    assert kept([]) == []


def test_a_check_without_statistics_is_left_as_it_is() -> None:
    rows = rows_of([("a", "anomaly", "0.9", 1)])
    assert statistics.assess(rows, [], {}) is rows


def test_an_unknown_statistic_is_refused() -> None:
    with pytest.raises(SettingsError, match="There is no statistic 'magic'"):
        statistics.assess(rows_of([]), ["magic"], {})


@pytest.mark.parametrize("name", sorted(set(statistics.STATISTICS) - set(statistics.JUDGING)))
def test_statistics_that_would_let_every_row_through_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="keeps every row"):
        statistics.assess(rows_of([]), ["benjamini_hochberg", name], {})


def test_a_report_has_no_stream_and_gets_its_figures_for_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(rows: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
        return rows.set_column(0, "n", pa.array([2 * parameters["by"] for _row in rows["n"].to_pylist()]))

    monkeypatch.setitem(statistics.STATISTICS, "doubled", doubled)
    assert statistics.assess(pa.table({"n": [1, 2]}), ["doubled"], {"by": 3})["n"].to_pylist() == [6, 6]
