"""The cluster profile."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import ProfileError
from sciflow.model.profile import ClusterProfile
from sciflow.model.validation import validated


def profile(**said: Any) -> ClusterProfile:
    """Make a profile as its file does."""
    return validated(ClusterProfile, {"name": "site", "scheduler": "slurm", **said}, "site.yaml", ProfileError)


def test_what_is_not_said_is_not_limited() -> None:
    """A profile needs a name and a scheduler; sites are shared unless they say otherwise."""
    made = profile()
    assert made.shared
    assert (made.capacity.cpu_cores, made.limits.highest_index, made.limits.indices_per_array) == (None, None, None)
    assert (made.setup, made.environment) == ((), {})


def test_one_line_of_setup_and_numbers_of_variables() -> None:
    """One line needs no brackets, and numbers need no quotes."""
    made = profile(setup="module load gcc", environment={"OMP_NUM_THREADS": 4, "DEBUG": False, "TEXT": "a 'b'"})
    assert made.setup == ("module load gcc",)
    assert made.environment == {"OMP_NUM_THREADS": "4", "DEBUG": "false", "TEXT": "a 'b'"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"scheduler": 5}, "`scheduler` is 5; it takes a text"),
        ({"shared": "perhaps"}, "`shared` is 'perhaps'; it takes `true` or `false`"),
        ({"capacity": {"cpu_cores": 0}}, "`capacity.cpu_cores` is 0; it should be greater than or equal to 1"),
        ({"capacity": {"cpu_cores": 1.5}}, "`capacity.cpu_cores` is 1.5; it takes a whole number"),
        ({"capacity": {"memory": "8G"}}, "`capacity.memory` is not known here"),
        ({"capacity": {"memory": "8G"}}, "did you mean `memory_gb`?"),
        ({"capacity": 8}, "`capacity` is 8; it takes a mapping (`name: value`)"),
        ({"limits": {"highest_index": -1}}, "`limits.highest_index` is -1; it should be greater than or equal to 0"),
        ({"environment": {"X; touch hit": 1}}, "'X; touch hit' cannot name an environment variable"),
        ({"environment": {"X": None}}, "`environment.X` is None; it takes a text"),
        ({"setup": [1]}, "`setup.0` is 1; it takes a text"),
        ({"partitions": {"p": {"max_runtime": "soon"}}}, "`soon` is no duration"),
        ({"partitions": {"p": {"nodes": 0}}}, "`partitions.p.nodes` is 0; it should be greater than or equal to 1"),
        ({"partitions": {"p": {"colour": 1}}}, "`partitions.p.colour` is not known here"),
        ({"limits": {"submitted_indices": 0}}, "`limits.submitted_indices` is 0"),
        ({"limits": {"running_indices": 0}}, "`limits.running_indices` is 0"),
        ({"limits": {"seconds_to_kill": 0}}, "`limits.seconds_to_kill` is 0; it should be greater than 0"),
        ({"account": "a b"}, "'a b' cannot stand in a scheduler's directive"),
    ],
)
def test_what_is_no_profile(said: Any, reason: str) -> None:
    """The file, the field, the value and what is allowed are named."""
    with pytest.raises(ProfileError) as caught:
        profile(**said)
    assert caught.value.message.startswith("site.yaml: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("said", "has_queue", "keeps"),
    [
        ({}, True, True),
        ({"shared": False}, True, False),
        ({"scheduler": "local"}, False, False),
        ({"scheduler": "local", "shared": False}, False, False),
    ],
)
def test_start_times_are_kept_where_others_wait_as_well(said: Any, has_queue: bool, keeps: bool) -> None:
    """And where there is a queue that keeps them."""
    made = profile(**said)
    assert (made.has_queue, made.keeps_start_times) == (has_queue, keeps)


def test_partitions_have_times_in_seconds() -> None:
    """None for any."""
    made = profile(partitions={"short": {"max_runtime": "1-12:00:00"}, "any": {}})
    assert made.partitions["short"].runtime_seconds == 129_600
    assert made.partitions["any"].runtime_seconds is None


def test_the_default_partition_is_the_one_that_says_so() -> None:
    """Where none does, nobody knows it."""
    assert profile(partitions={"a": {}, "b": {"default": True}}).default_partition == "b"
    assert profile(partitions={"a": {}}).default_partition == ""
    assert profile().default_partition == ""
