from hypothesis import given
from hypothesis import strategies as st

from sciflow.schedulers.fake.slurm.hosts import read_hosts, write_hosts
from sciflow.schedulers.fake.slurm.lists import read_list, write_list


@given(st.sets(st.integers(0, 10_000), min_size=1))
def test_what_is_written_is_read_again(indices: set[int]) -> None:
    """Whether in ranges or with a step."""
    assert read_list(f"[{write_list(sorted(indices))}%3]") == sorted(indices)


def test_steps_stand_in_longer_lists_only() -> None:
    """As of seven indices that are evenly spaced, as in Slurm."""
    assert write_list(range(1, 12, 2)) == "1,3,5,7,9,11"
    assert write_list(range(1, 14, 2)) == "1-13:2"
    assert write_list([0, 1, 2, 3, 7, 9, 10, 11]) == "0-3,7,9-11"


@given(st.sets(st.integers(1, 120), min_size=1), st.booleans())
def test_nodes_that_are_written_are_read_again(numbers: set[int], is_padded: bool) -> None:
    """With zeros before their numbers, or without."""
    names = [f"node-{number:03d}" if is_padded else f"node-{number}" for number in sorted(numbers)]
    assert sorted(read_hosts(write_hosts([*names, "login"]))) == sorted([*names, "login"])


def test_nodes_in_brackets() -> None:
    """Ranges, lists, several of them, and one name alone."""
    assert read_hosts("n[1-3,7],login,gpu-[01-02]-x") == ["n1", "n2", "n3", "n7", "login", "gpu-01-x", "gpu-02-x"]
    assert write_hosts(["n3", "n1", "n2"]) == "n[1-3]"
    assert write_hosts(["n1"]) == "n1"
    assert write_hosts([]) == ""
