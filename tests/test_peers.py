"""The comparison with peers: the share of false alarms where nothing happened, and what is still found."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow as pa
import pytest

from audit_kernel import statistics
from audit_kernel.peers import negative_binomial_tail, peer_tail, with_peer_tails

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("negative_binomial", "benjamini_hochberg")
RATE = Decimal("0.05")
WORLDS = 200
LEAST = 10


def findings(
    counts: Sequence[int],
    *,
    people: Sequence[int] = (),
    roles: Sequence[str] = (),
    unit_types: Sequence[str] = (),
    least: int = 0,
) -> pa.Table:
    """Return rows of a check; without more, each is another person's and all share role and unit type."""
    n_rows = len(counts)
    values: dict[str, pa.Array[Any]] = {
        "role": pa.array(roles or ["nurse"] * n_rows),
        "unit_type": pa.array(unit_types or ["home"] * n_rows),
        "least": pa.array([least] * n_rows, pa.int64()),
        "least_possible": pa.array([0] * n_rows, pa.int64()),
        **{name: pa.nulls(n_rows, pa.int64()) for name in ("n_people", "n_compared", "percent_fewer")},
    }
    return pa.table(
        {
            "finding_id": [f"{row}" for row in range(n_rows)],
            "stream": ["anomaly"] * n_rows,
            "employee_id": [f"E{person}" for person in (people or range(n_rows))],
            "measure": pa.array([Decimal(count) for count in counts], pa.decimal128(18, 4)),
            "expected": pa.nulls(n_rows, pa.decimal128(18, 4)),
            "tail_probability": pa.nulls(n_rows, pa.decimal128(19, 18)),
            "peer_group": pa.nulls(n_rows, pa.string()),
            "reason_code": ["many"] * n_rows,
            "reason_values": pa.StructArray.from_arrays(list(values.values()), names=list(values)),
        }
    )


def kept(table: pa.Table, rate: Decimal = RATE) -> list[str]:
    found = statistics.assess(table, NAMES, {"false_discovery_rate": rate})
    return [str(each) for each in found["finding_id"].to_pylist()]


def quiet_month(random: numpy.random.Generator, rows_per_person: int, differing: float) -> pa.Table:
    """Return a month in which nothing happened: twelve groups of peers, each a negative binomial of its own.

    `differing` is the shape of a gamma factor of each person, 0 for none.
    """
    counts, people, roles = [], [], []
    for group in range(12):
        n_people = int(numpy.exp(random.uniform(numpy.log(20), numpy.log(80))))
        mean, dispersion = numpy.exp(random.uniform(numpy.log(0.05), numpy.log(6))), random.choice([0.01, 0.5, 1, 2])
        who = numpy.repeat(numpy.arange(n_people), rows_per_person)
        rate = random.gamma(1 / dispersion, dispersion * mean, len(who))
        if differing:
            rate *= random.gamma(differing, 1 / differing, n_people)[who]
        counts.append(random.poisson(rate))
        people.append(who + 1000 * group)
        roles += [f"role {group}"] * len(who)
    return findings(
        numpy.concatenate(counts).tolist(), people=numpy.concatenate(people).tolist(), roles=roles, least=LEAST
    )


@pytest.mark.parametrize(("rows_per_person", "differing"), [(1, 0.0), (4, 0.0), (4, 3.0)])
def test_quiet_months_with_any_alert_are_no_more_than_the_rate_allows(rows_per_person: int, differing: float) -> None:
    """The lower 95 % limit of the share of 200 months with an alert is at most the rate."""
    random = numpy.random.default_rng(20261101)
    n_alerting = sum(bool(kept(quiet_month(random, rows_per_person, differing))) for _world in range(WORLDS))
    assert statistics.clopper_pearson(n_alerting, WORLDS)[0] <= float(RATE)
    assert n_alerting <= 0.05 * WORLDS


def test_a_rate_of_one_in_two_does_alert_so_the_quiet_months_prove_something() -> None:
    random = numpy.random.default_rng(20261101)
    assert any(kept(quiet_month(random, 1, 0.0), Decimal("0.5")) for _world in range(WORLDS))


def test_one_who_stands_out_is_found_in_nine_of_ten_months() -> None:
    """Forty among colleagues with one or two, in a group of 40 of a month of twelve groups."""
    random = numpy.random.default_rng(7)
    found = 0
    for _world in range(50):
        quiet = quiet_month(random, 1, 0.0)
        group = findings([40, *random.negative_binomial(1, 0.4, 39).tolist()], roles=["planted"] * 40, least=LEAST)
        names = pa.array([f"planted {row}" for row in range(40)])
        group = group.set_column(0, "finding_id", names).set_column(2, "employee_id", names)
        found += "planted 0" in kept(pa.concat_tables([quiet, group]))
    assert found >= 45


def test_two_who_stand_out_do_not_hide_one_another() -> None:
    assert kept(findings([0, 1, 2, 1, 0] * 10 + [25, 45])) == ["50", "51"]
    assert kept(findings([0, 1, 2, 1, 0] * 10 + [45, 45])) == ["50", "51"]


def test_a_whole_tenth_of_a_group_is_how_the_group_is() -> None:
    assert kept(findings([0, 1, 2, 1, 0] * 10 + [40] * 6)) == []


def test_a_small_group_is_compared_with_all_but_must_stand_out_among_its_own_too() -> None:
    many = [0, 1, 2, 1, 0] * 10
    roles, kinds = ["nurse"] * 50 + ["clerk"] * 6, ["home"] * 50 + ["office"] * 6
    alike = findings([*many, 20, 22, 19, 25, 21, 30], roles=roles, unit_types=kinds)
    assert kept(alike) == []
    one = statistics.assess(
        findings([*many, 1, 0, 2, 1, 0, 300], roles=roles, unit_types=kinds), NAMES, {"false_discovery_rate": RATE}
    )
    assert one["finding_id"].to_pylist() == ["55"]


def test_fewer_than_four_of_a_kind_are_compared_with_all() -> None:
    roles = ["nurse"] * 50 + ["clerk"] * 3
    (row,) = statistics.assess(
        findings([0, 1, 2, 1, 0] * 10 + [20, 0, 1], roles=roles), NAMES, {"false_discovery_rate": RATE}
    ).to_pylist()
    assert (row["finding_id"], row["peer_group"], row["reason_values"]["n_people"]) == ("50", "*", 53)
    assert row["expected"] == Decimal("0.7884")  # 41 among the other 52
    assert (row["reason_values"]["n_compared"], row["reason_values"]["percent_fewer"]) == (53, 98)


@pytest.mark.parametrize(("counts", "found"), [((21, 16), []), ((21, 7), ["0"]), ((21, 8), []), ((21, 8, 0), ["0"])])
def test_what_two_or_three_of_a_kind_have_alike_is_their_work(counts: tuple[int, ...], found: list[str]) -> None:
    others = [0, 1, 0, 2, 0, 0, 1, 0] * 15
    roles = ["consultant"] * len(counts) + ["nurse"] * len(others)
    assert kept(findings([*counts, *others], roles=roles, least=10)) == found


def test_rows_of_few_people_are_worth_fewer_peers_than_rows_of_many() -> None:
    counts = [0, 1, 2, 1, 0] * 20 + [12]
    many = with_peer_tails(findings(counts), {}).to_pylist()[-1]["tail_probability"]
    few = with_peer_tails(findings(counts, people=[row % 25 for row in range(101)]), {}).to_pylist()[-1]
    assert few["tail_probability"] > many


def test_who_has_more_is_at_least_as_rare() -> None:
    random = numpy.random.default_rng(3)
    counts = random.negative_binomial(0.5, 0.1, 300)
    tails = numpy.array(with_peer_tails(findings(counts.tolist()), {})["tail_probability"].to_pylist(), float)
    assert (numpy.diff(tails[numpy.argsort(counts, kind="stable")]) <= 0).all()


def test_a_tail_agrees_with_one_worked_out_by_hand() -> None:
    """Five others with 0, 1, 1, 2, 6: mean 2, variance 5.5, both two standard errors higher."""
    each: dict[str, Any] = {"others": 5, "total": 10, "squares": 42, "n_people": 6}
    tail = peer_tail(numpy.array([9]), *(numpy.array([value]) for value in each.values()))[0]
    dispersion = (5.5 - 2) / 4
    variance = 5.5 * (1 + 2 * ((2 + 6 * dispersion + 1 / 5.5) / 5) ** 0.5)
    mean = 2 + 2 * (5.5 / 5) ** 0.5
    assert tail == pytest.approx(float(negative_binomial_tail(9, mean, (variance - mean) / mean**2)), rel=1e-12)


def test_fewer_than_two_others_tell_nothing() -> None:
    assert kept(findings([500, 1])) == []
    assert kept(findings([500])) == []
    assert kept(findings([])) == []


def test_equal_peers_give_no_finding() -> None:
    assert kept(findings([5] * 50)) == []
    assert kept(findings([0] * 50)) == []
