"""When a review finds an episode: the same rule for the product and for every baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from evaluation.bags import Review
from evaluation.worlds import Episode


def is_found_by(episode: Episode, review: Review) -> bool:
    """Say whether a review is about an episode.

    It has the same employee, one of them where there are several (or names its account or address, where the episode
    has no employee), it overlaps in time, and its patient is one of the episode's where both name any.
    """
    if episode.employee_ids:
        is_same = review.employee_id in episode.employee_ids
    else:
        is_same = bool({episode.account, episode.address} - {""} & {review.employee_id, *review.values})
    if not is_same:
        return False
    if review.patient_id and episode.patient_ids and review.patient_id not in episode.patient_ids:
        return False
    begins_in_time = review.first_at is None or review.first_at <= episode.last_at
    return begins_in_time and (review.last_at is None or review.last_at >= episode.first_at)


def found(episodes: Iterable[Episode], reviews: Sequence[Review]) -> list[Episode]:
    """Return the episodes that any of the reviews finds."""
    return [episode for episode in episodes if any(is_found_by(episode, each) for each in reviews)]


def found_by(episodes: Iterable[Episode], reviews: Sequence[Review]) -> Counter[tuple[str, ...]]:
    """Count the episodes of each family that each check finds: family and check."""
    pairs = {
        (episode.number, episode.family, each.check)
        for episode in episodes
        for each in reviews
        if is_found_by(episode, each)
    }
    return Counter((family, check) for _number, family, check in pairs)


def what_alerts_are(reviews: Iterable[Review], episodes: Sequence[Episode]) -> Counter[tuple[str, ...]]:
    """Count alerts by check, reason code and what they are about: a planted family, a hard case, or ordinary work.

    A hard case has its family's name with `honest:` before it.
    """
    counted: Counter[tuple[str, ...]] = Counter()
    for review in reviews:
        about = [each for each in episodes if is_found_by(each, review)]
        planted = next((each for each in about if each.is_planted), None)
        honest = next((each for each in about if not each.is_planted), None)
        name = planted.family if planted else f"honest:{honest.family}" if honest else "ordinary"
        counted[review.check, review.reason_code, name] += 1
    return counted


def is_true(review: Review, planted: Sequence[Episode]) -> bool:
    """Say whether an alert is about something planted."""
    return any(is_found_by(each, review) for each in planted)
