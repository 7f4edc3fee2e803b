"""Which episodes a world has: how many of each family, and how many honest look-alikes for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.demo.settings import stream
from audit_kernel.demo.world import accounts, curious, diversion, roaming
from audit_kernel.demo.world.story import Story

if TYPE_CHECKING:
    from audit_kernel.demo.settings import WorldSettings
    from audit_kernel.demo.world.cast import Cast
    from audit_kernel.demo.world.story import Family

FAMILIES = {each.name: each for part in (curious, roaming, accounts, diversion) for each in part.FAMILIES}
PEOPLE = 1000  # what rates are given per


def planted_numbers(seed: int, settings: WorldSettings) -> dict[str, int]:
    """Return how many episodes of each family the last month has; the rate is of all families together.

    The whole part of the expected number always comes; what is left decides over one more.
    """
    names = settings.families or tuple(FAMILIES)
    if settings.n_per_family:
        return dict.fromkeys(names, settings.n_per_family)
    draws = stream(seed, "numbers")
    expected = settings.incident_rate * settings.n_employees / PEOPLE
    number = int(expected) + int(draws.random() < expected % 1)
    chosen = draws.integers(len(names), size=number).tolist()
    return {name: chosen.count(place) for place, name in enumerate(names)}


def stories_of(seed: int, settings: WorldSettings, cast: Cast) -> list[Story]:
    """Return all episodes, the planted ones first."""
    planted = planted_numbers(seed, settings)
    stories: list[Story] = []
    for name, number in planted.items():
        for place in range(number):
            stories.append(_story(seed, cast, FAMILIES[name], len(stories) + 1, place, is_planted=True))
    for name, family in FAMILIES.items():
        number = max(settings.least_hard_cases, settings.hard_case_ratio * planted.get(name, 0))
        for place in range(number):
            stories.append(_story(seed, cast, family, len(stories) + 1, place, is_planted=False))
    return stories


def _story(seed: int, cast: Cast, family: Family, number: int, place: int, *, is_planted: bool) -> Story:
    world = cast.desk.world
    name = family.name if is_planted else family.look_alike
    story = Story(
        number=number,
        family=name,
        resembles=family.name,
        is_planted=is_planted,
        leaves_trace=family.leaves_trace and is_planted,
        draws=stream(seed, f"{name} {place}"),
        days=(world.last_month, world.calendar.n_days),
    )
    (family.plant if is_planted else family.resemble)(cast, story)
    return story
