"""Sample plans against published tables, in whole numbers."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from audit_kernel import sampling
from audit_kernel.errors import ParameterError

VECTORS = Path(__file__).parents[2] / "shared" / "stats"


def vectors(name: str) -> dict[str, Any]:
    """Return one file of published values."""
    if not VECTORS.is_dir():
        pytest.skip(
            "This test reads published figures in ../shared/stats, which is not part of the project and is not here."
        )
    found: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return found


def test_samples_of_a_population_without_end_agree_with_the_published_sizes() -> None:
    for confidence, sizes in vectors("discovery_sampling.json")["binomial_smallest_n"].items():
        for rate, size in sizes.items():
            assert sampling.plan_without_end(confidence, rate, largest=10_000) == size


def test_samples_by_population_and_rate_agree_with_the_published_sizes() -> None:
    by_population = vectors("discovery_sampling.json")["hypergeometric_95_smallest_n_by_population_and_rate"]
    for population, sizes in by_population.items():
        for rate, size in sizes.items():
            assert sampling.plan(int(population), "0.95", rate) == size


def test_samples_by_number_of_bad_ones_agree_with_the_published_sizes() -> None:
    by_population = vectors("discovery_sampling.json")["hypergeometric_95_smallest_n_by_population_and_number_bad"]
    for population, sizes in by_population.items():
        for bad, size in sizes.items():
            assert sampling.plan(int(population), "0.95", f"{bad}/{population}") == size


def test_samples_for_an_expected_rate_agree_with_the_auditors_table() -> None:
    """AICPA, Appendix A, table A-1."""
    table = vectors("aicpa_attribute_tables.json")
    for tolerable, sizes in table["A1_risk5"].items():
        for expected, size in zip(table["expected_rate_pct"], sizes, strict=True):
            if size is not None:
                assert sampling.plan_without_end("0.95", f"{tolerable}/100", str(expected / 100)) == size


def test_samples_that_allow_some_found_agree_with_the_published_sizes() -> None:
    """Touw and Hoogduin (2011): the tolerable rate itself as the share allowed, by number found."""
    for rate, sizes in vectors("discovery_sampling.json")["published_binomial_95_by_errors_found"].items():
        if rate != "source":
            for found, size in enumerate(sizes):
                assert sampling.binomial_at_most(found, size, Fraction(rate)) <= Fraction(1, 20)
                assert sampling.binomial_at_most(found, size - 1, Fraction(rate)) > Fraction(1, 20)


def test_a_rate_that_no_sample_can_rule_out_has_no_plan() -> None:
    assert sampling.plan_without_end("0.95", "0.02", "0.02") is None


def test_a_plan_that_allows_as_many_as_there_are_takes_all() -> None:
    assert sampling.plan(10, "0.95", "0.1", allowed=1) == 10


@pytest.mark.parametrize(("confidence", "rate"), [("1", "0.05"), ("0.95", "0"), (95, "0.05"), ("0.95", "-0.1")])
def test_a_share_outside_its_range_is_refused(confidence: str | float, rate: str) -> None:
    with pytest.raises(ParameterError, match="must be between 0 and 1"):
        sampling.plan(100, confidence, rate)


def test_every_stratum_gets_its_minimum_and_never_more_than_it_has() -> None:
    fewest = dict.fromkeys("ABC", 5)
    assert sampling.allocate({"A": 900, "B": 99, "C": 1}, 100, fewest) == {"A": 90, "B": 10, "C": 1}
    assert sampling.allocate({"A": 1000, "B": 20}, 10, {"B": 3}) == {"A": 10, "B": 3}


def test_the_draws_hash_is_that_of_sha256sum() -> None:
    assert sampling.draw_hash("2026-10", "E1|P1|2026-10-05") == hashlib.sha256(b"2026-10|E1|P1|2026-10-05").hexdigest()


def test_the_frames_hash_is_over_its_lines() -> None:
    frame = pa.table({"stratum": ["U1", "U2"], "unit_key": ["a", "b"]})
    assert sampling.frame_hash(frame) == hashlib.sha256(b"U1\ta\nU2\tb\n").hexdigest()


STRATA = some.dictionaries(some.sampled_from("ABCDEFGH"), some.integers(1, 500), min_size=1)


@settings(deadline=None)
@given(strata=STRATA, size=some.integers(0, 300), more=some.integers(0, 300), least=some.integers(0, 9))
def test_a_larger_size_or_minimum_takes_no_less_of_any_stratum(
    strata: dict[str, int], size: int, more: int, least: int
) -> None:
    """So the larger sample contains the smaller: both are the first of each stratum in one order."""
    small = sampling.allocate(strata, size, dict.fromkeys(strata, least))
    large = sampling.allocate(strata, size + more, dict.fromkeys(strata, least + 1))
    assert all(small[name] <= large[name] <= strata[name] for name in strata)
    assert sum(small.values()) >= min(size, sum(strata.values()))


@settings(deadline=None)
@given(keys=some.lists(some.text(some.characters(codec="utf-8"), max_size=9), max_size=20), cut=some.integers(0, 20))
def test_the_frames_hash_does_not_depend_on_how_the_rows_come(keys: list[str], cut: int) -> None:
    whole = pa.table({"stratum": pa.array(["U"] * len(keys), pa.string()), "unit_key": pa.array(keys, pa.string())})
    parts = pa.concat_tables([whole.slice(0, cut), whole.slice(cut)])
    lines = "".join(f"U\t{key}\n" for key in keys).encode()
    assert sampling.frame_hash(whole) == sampling.frame_hash(parts) == hashlib.sha256(lines).hexdigest()
