"""What a run may have at once is divided between the jobs that want it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.resources import Resources
from sciflow.run.portions import Bound, Claim, divide, exceeded

ONE = ArrayJob("a.0", "a", 1000, Resources())


def portions(needs: list[int], most: float, weights: list[float] | None = None) -> list[int | None]:
    """Return how many of each may run at once under one bound."""
    claims = [Claim(ONE, str(i), need) for i, need in enumerate(needs)]
    bound = Bound(most, dict(enumerate(weights or [1.0] * len(needs))), "by day", 7.0)
    return [one.at_once for one in divide(claims, [bound])]


def test_what_needs_no_more_than_its_part_is_not_held_back() -> None:
    """The rest is for the others."""
    assert portions([1000], 20) == [20]
    assert portions([1000, 1000], 20) == [10, 10]
    assert portions([5, 1000], 20) == [None, 15]
    assert portions([5, 3], 20) == [None, None]
    assert portions([20], 20) == [None]


def test_nothing_of_it_is_left_over() -> None:
    """Twenty for three are 6, 7 and 7."""
    assert portions([100, 100, 100], 20) == [6, 7, 7]


def test_parts_are_equal_in_what_is_divided() -> None:
    """Of 32 cores each has 16: four indices of four cores, or sixteen of one."""
    assert portions([100, 100], 32, [4.0, 1.0]) == [4, 16]


def test_no_core_is_lost_to_rounding() -> None:
    """29 % of a hundred cores are a little less than 29 in a computer's numbers."""
    assert 0.29 * 100 < 29
    assert portions([50], 0.29 * 100) == [29]


def test_one_index_runs_at_least() -> None:
    """Where less than one fits, and where there are more jobs than may run; that is told."""
    claims = [Claim(ONE, str(i), 10) for i in range(3)]
    bound = Bound(2, {0: 1.0, 1: 1.0, 2: 1.0}, "by day")
    made = divide(claims, [bound])
    assert [one.at_once for one in made] == [1, 1, 1]
    assert list(exceeded(made, [bound])) == [
        "one index of each job runs at least, which is more than allowed (by day, 2)"
    ]
    assert portions([10], 1.6, [4.0]) == [1]


def test_the_closest_bound_counts_and_is_named() -> None:
    """Others may hold for some of the claims only."""
    claims = [Claim(ONE, "1", 100), Claim(ONE, "2", 100)]
    night = Bound(100, {0: 1.0, 1: 1.0}, "by night", 9.0)
    share = Bound(8, {1: 2.0}, "50 % of 16 cores")
    first, second = divide(claims, [night, share])
    assert (first.at_once, first.why, first.until) == (96, "by night", 9.0)
    assert (second.at_once, second.why, second.until) == (4, "50 % of 16 cores", None)
    assert list(exceeded([first, second], [night, share])) == []


def test_what_one_may_not_use_is_for_the_others() -> None:
    """Where one has little of another bound, the rest of the first is not lost."""
    claims = [Claim(ONE, str(i), 100) for i in range(3)]
    share = Bound(160, {0: 1.0, 1: 16.0, 2: 1.0}, "50 % of 320 cores")
    day = Bound(20, dict.fromkeys(range(3), 1.0), "by day")
    assert [one.at_once for one in divide(claims, [day, share])] == [8, 4, 8]
    night = Bound(200, dict.fromkeys(range(3), 1.0), "by night")
    made = [one.at_once or one.need for one in divide(claims, [night, share])]
    assert made[0] + 16 * made[1] + made[2] == 160


def in_step(most: float, *tasks: tuple[str, float, int, str], need: int = 1000) -> list[int | None]:
    """Return how many may run at once of tasks of so many hours and links, each of which follows another by index."""
    claims = [
        Claim(
            ArrayJob(name, name, 1000, Resources(runtime_seconds=int(hours * 3600)), links=links, after=after), "", need
        )
        for name, hours, links, before in tasks
        for after in [(Dependency(before, "element"),) if before else ()]
    ]
    bound = Bound(most, dict.fromkeys(range(len(claims)), 1.0), "by day")
    given = divide(claims, [bound])
    assert list(exceeded(given, [bound])) == []
    return [one.at_once for one in given]


def test_what_follows_index_by_index_has_places_by_walltimes() -> None:
    """So many end of each in an hour as of the other, and one index of each runs at least."""
    assert in_step(20, ("a", 4, 1, ""), ("b", 1, 1, "a")) == [16, 4]
    assert in_step(20, ("a", 1, 1, ""), ("b", 2, 2, "a")) == [4, 16]
    assert in_step(5, ("a", 10, 1, ""), ("b", 0.1, 1, "a"), ("c", 0.1, 1, "b")) == [3, 1, 1]
    assert in_step(20, ("a", 4, 1, ""), ("b", 0, 1, "a")) == [10, 10]
    assert in_step(30, ("a", 4, 1, ""), ("b", 1, 1, "a"), ("d", 9, 1, "")) == [16, 4, 10]


def test_what_is_not_needed_is_for_what_is_in_step_as_well() -> None:
    """The short one has all that the long one leaves."""
    assert in_step(20, ("a", 4, 1, ""), ("b", 1, 1, "a"), need=12) == [None, 8]


@given(
    st.lists(st.tuples(st.integers(1, 2000), st.sampled_from([0.5, 1.0, 4.0, 24.0])), min_size=1, max_size=9),
    st.floats(1.0, 5000.0),
)
def test_no_more_is_given_than_there_is(wanted: list[tuple[int, float]], most: float) -> None:
    """But for one index of each, and what is free is not held back from anybody who would take it."""
    needs, weights = [need for need, _ in wanted], [weight for _, weight in wanted]
    given = [one or need for one, need in zip(portions(needs, most, weights), needs, strict=True)]
    assert all(1 <= one <= need for one, need in zip(given, needs, strict=True))
    least = sum(weights)
    taken = sum(one * weight for one, weight in zip(given, weights, strict=True))
    assert taken <= max(most, least) * (1 + 1e-6) + (least if least > most / len(weights) else 0.0)
    if any(one < need for one, need in zip(given, needs, strict=True)):
        assert taken > most - max(weights) * len(weights)
