"""The protocol of a draw: the frame's hash before the seed, each once, whatever interrupts it."""

from __future__ import annotations

import hashlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from audit_kernel import sample_journal
from audit_kernel.errors import RunError, UsageError, VerificationError
from audit_kernel.journal import START, Journal
from audit_kernel.sample_design import Decisions, Design, Promise
from audit_kernel.sample_journal import (
    FILE,
    Draw,
    Frame,
    Request,
    draws_of,
    register_frame,
    register_seed,
    settle_draw,
)
from audit_kernel.site import Site, create_site

if TYPE_CHECKING:
    from pathlib import Path

DECISIONS = Decisions("days", "unit_id", "0.95", "0.05", "0.05", 1, 1)
DESIGN = Design(DECISIONS, 1000, 60, 58, 0, (Promise("days", 1000, 60, 50, "0.9561"),))
FRAME = Frame("2026-10", "a" * 64, 7, DESIGN)
LATER = replace(FRAME, sha256="b" * 64, snapshot=9)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return create_site(tmp_path / "site", "NO", "Nordli")


def lines(site: Site) -> list[dict[str, Any]]:
    return [line["entry"] for line in Journal(site.journals_folder / FILE).entries()]


def test_the_frame_stands_in_the_journal_before_the_seed(site: Site) -> None:
    draw = settle_draw(site, FRAME, Request())
    assert [entry["kind"] for entry in lines(site)] == ["frame", "seed"]
    assert draw.frame["sequence"] < (draw.seeded or {})["sequence"]
    assert draw.design == DESIGN
    assert Journal(site.journals_folder / FILE).verify() == []


@pytest.mark.requires("sha256sum")
def test_a_derived_seed_is_repeated_with_sha256sum(site: Site) -> None:
    draw = settle_draw(site, FRAME, Request())
    text = f"{FRAME.sha256}|{START}"
    done = subprocess.run(["sha256sum"], input=text.encode(), capture_output=True, check=True)
    assert done.stdout.decode().split()[0] == draw.seed == hashlib.sha256(text.encode()).hexdigest()
    assert lines(site)[1]["archive_run"] == ""


def test_the_same_month_again_is_the_same_draw_and_no_further_line(site: Site) -> None:
    first = settle_draw(site, FRAME, Request(seed="4183"))
    assert settle_draw(site, FRAME, Request(seed="4183")) == first
    assert settle_draw(site, FRAME, Request()) == first
    assert register_frame(site, FRAME) == first
    assert len(lines(site)) == 2


@pytest.mark.parametrize(
    ("frame", "seed"),
    [(LATER, ""), (FRAME, "other"), (replace(FRAME, design=replace(DESIGN, sample_size=70)), "")],
    ids=["later logs", "another seed", "another design"],
)
def test_a_second_draw_is_refused_and_recorded_beside_the_first_with_a_reason(
    site: Site, frame: Frame, seed: str
) -> None:
    first = settle_draw(site, FRAME, Request(seed="4183"))
    with pytest.raises(RunError, match="drawn already"):
        settle_draw(site, frame, Request(seed=seed))
    assert len(lines(site)) == 2
    second = settle_draw(site, frame, Request(seed=seed, again="late logs"))
    assert (second.number, second.reason) == (2, "late logs")
    assert draws_of(site, "2026-10") == [first, second]
    assert settle_draw(site, frame, Request(seed=seed, again="late logs")) == second
    assert len(lines(site)) == 4


def test_each_draw_is_repeated_by_its_own_seed(site: Site) -> None:
    first = settle_draw(site, FRAME, Request(seed="1"))
    second = settle_draw(site, FRAME, Request(seed="2", again="the dice fell off the table"))
    assert settle_draw(site, FRAME, Request(seed="1")) == first
    assert settle_draw(site, FRAME, Request()) == second


def test_what_a_command_left_half_done_is_gone_on_with(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sample_journal, "_seeded", killed)
        with pytest.raises(KeyboardInterrupt):
            settle_draw(site, FRAME, Request())
    assert [entry["kind"] for entry in lines(site)] == ["frame"]
    draw = settle_draw(site, FRAME, Request())
    assert [entry["kind"] for entry in lines(site)] == ["frame", "seed"]
    assert draw.number == 1


def test_a_frame_that_changes_before_its_seed_is_written_anew_in_the_same_draw(site: Site) -> None:
    register_frame(site, FRAME)
    draw = settle_draw(site, LATER, Request())
    assert draw.number == 1
    assert [(entry["kind"], entry["draw"]) for entry in lines(site)] == [("frame", 1), ("frame", 1), ("seed", 1)]
    assert draw.is_of(LATER)
    assert len(draws_of(site, "2026-10")) == 1


def test_the_operators_seed_comes_after_the_frame_and_names_its_witness(site: Site) -> None:
    with pytest.raises(UsageError, match="No frame of 2026-10 is registered"):
        register_seed(site, "2026-10", "4183", "K. Berg")
    register_frame(site, FRAME)
    with pytest.raises(UsageError, match="The seed is empty"):
        register_seed(site, "2026-10", "  ")
    register_seed(site, "2026-10", "4183", "K. Berg")
    entry = lines(site)[1]
    assert (entry["seed"], entry["origin"], entry["witness"]) == ("4183", "operator", "K. Berg")
    assert entry["is_frame_first"] is True
    assert settle_draw(site, FRAME, Request()).seed == "4183"
    with pytest.raises(RunError, match="drawn already"):
        register_seed(site, "2026-10", "9999")
    assert register_seed(site, "2026-10", "4183").seed == "4183"
    assert len(lines(site)) == 2


def test_a_seed_given_with_the_frame_is_said_to_have_been_known_perhaps(site: Site) -> None:
    settle_draw(site, FRAME, Request(seed="4183"))
    assert lines(site)[1]["is_frame_first"] is False
    register_frame(site, replace(FRAME, month="2026-11"))
    settle_draw(site, replace(FRAME, month="2026-11"), Request(seed="4183"))
    assert lines(site)[3]["is_frame_first"] is True


def test_each_month_has_draws_of_its_own(site: Site) -> None:
    settle_draw(site, FRAME, Request())
    assert settle_draw(site, replace(FRAME, month="2026-11"), Request()).number == 1
    assert len(draws_of(site, "2026-10")) == len(draws_of(site, "2026-11")) == 1


def test_no_seed_is_derived_from_a_head_that_another_key_signed(site: Site) -> None:
    (site.archive_folder / "head.txt").write_text('{"archive":"x"}\nAAAA\n')
    with pytest.raises(VerificationError, match="not signed by the site's key"):
        settle_draw(site, FRAME, Request())
    assert [entry["kind"] for entry in lines(site)] == ["frame"]


def test_a_draw_is_the_same_after_it_went_through_a_statement(site: Site) -> None:
    draw = settle_draw(site, FRAME, Request(seed="4183", witness="K. Berg"))
    assert Draw.from_plain(draw.as_plain()) == draw


def test_writers_at_once_write_one_draw(site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        draws = list(pool.map(lambda _each: settle_draw(site, FRAME, Request(seed="4183")), range(8)))
    assert [entry["kind"] for entry in lines(site)] == ["frame", "seed"]
    assert all(draw == draws[0] for draw in draws)
