"""Statistics against published tables and by enumeration."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from audit_kernel import statistics
from audit_kernel.errors import SettingsError

TAILS = ("negative_binomial", "benjamini_hochberg")
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
        tail = statistics.negative_binomial_tail(case["k"], case["mean"], case.get("alpha", 0))
        assert tail == pytest.approx(case["sf"], rel=1e-9)


def test_a_tail_from_zero_is_certain_and_nothing_expected_is_impossible() -> None:
    assert statistics.negative_binomial_tail(0, 3, 1) == 1
    assert statistics.negative_binomial_tail(1, 0, 1) == 0


def test_adjusted_chances_agree_with_benjamini_and_hochberg() -> None:
    """The fifteen p-values of their paper, four rejected; the order given does not matter."""
    published = vectors("bh1995.json")
    adjusted = statistics.benjamini_hochberg(published["p"])
    assert adjusted == pytest.approx(published["computed"]["adjusted"], abs=1e-12)
    assert sum(chance <= published["q_star"] for chance in adjusted) == published["published"]["rejected"]
    assert statistics.benjamini_hochberg(published["p"][::-1]) == pytest.approx(adjusted[::-1], abs=1e-12)


def test_no_chances_are_adjusted_to_none() -> None:
    assert statistics.benjamini_hochberg([]) == []


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


FIGURES = pa.struct([(name, pa.int64()) for name in ("n_openings", "n_pairs", "sum_openings", "sum_squares")])


def findings(counts: list[int]) -> pa.Table:
    """Return findings of one peer group with these counts."""
    figures = {"n_pairs": len(counts), "sum_openings": sum(counts), "sum_squares": sum(n * n for n in counts)}
    return pa.table(
        {
            "patient_id": [f"P{i}" for i in range(len(counts))],
            "tail_probability": pa.array([None] * len(counts), pa.decimal128(19, 18)),
            "reason_values": pa.array([{"n_openings": n, **figures} for n in counts], FIGURES),
        }
    )


def test_one_who_opens_far_more_than_the_peers_is_kept_with_the_tail() -> None:
    rows = findings([1, 2, 3, 2, 1, 4, 2, 3, 1, 2] * 10 + [60])
    kept = statistics.assess(rows, ["negative_binomial", "benjamini_hochberg"], {"false_discovery_rate": "0.05"})
    assert kept["patient_id"].to_pylist() == ["P100"]
    assert kept["tail_probability"].to_pylist()[0] < Decimal("0.000001")
    assert kept.schema == rows.schema


def test_fewer_openings_than_the_minimum_are_no_finding() -> None:
    rows = findings([1] * 100 + [9])
    asked = {"false_discovery_rate": Decimal("0.05"), "minimum_openings": 10}
    assert statistics.assess(rows, TAILS, asked).num_rows == 0


def test_equal_peers_give_no_finding() -> None:
    assert statistics.assess(findings([5] * 50), TAILS, {"false_discovery_rate": "0.05"}).num_rows == 0


def test_a_pair_without_peers_is_never_a_finding() -> None:
    assert statistics.assess(findings([500, 1]), TAILS, {"false_discovery_rate": "0.05"}).num_rows == 0
    assert statistics.assess(findings([]), TAILS, {"false_discovery_rate": "0.05"}).num_rows == 0


def test_a_check_without_statistics_is_left_as_it_is() -> None:
    rows = findings([1, 2])
    assert statistics.assess(rows, [], {}) is rows


def test_an_unknown_statistic_is_refused() -> None:
    with pytest.raises(SettingsError, match="There is no statistic 'magic'"):
        statistics.assess(findings([1]), ["magic"], {})
