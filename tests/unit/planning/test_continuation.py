"""Tasks that take longer than the site allows, and keep checkpoints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sciflow.errors import PlanError
from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.planning.continuation import continued

HOUR = 3600
SITE = ClusterProfile.model_validate(
    {
        "name": "site",
        "scheduler": "slurm",
        "partitions": {"short": {"max_runtime": "12 h", "default": True}, "tiny": {"max_runtime": "10 min"}, "any": {}},
    }
)


def array_of(seconds: int) -> ArrayJob:
    """Return an array job that asks for so much time."""
    return ArrayJob("relax.0", "relax", 4, Resources(2, GIB, 0, seconds))


@pytest.mark.parametrize("seconds", [0, 1, 12 * HOUR])
def test_what_fits_is_left_as_it_is(seconds: int) -> None:
    """Also where no time is asked for: what the site gives then is enough, or nobody knows."""
    assert continued(array_of(seconds), Options(), SITE) == array_of(seconds)


def test_where_no_limit_is_known_nothing_is_cut() -> None:
    """However long it takes."""
    assert continued(array_of(1000 * HOUR), Options(partition="any"), SITE) == array_of(1000 * HOUR)


# Of 12 h two minutes are lost between a warning and the end, of 10 min a tenth.
@pytest.mark.parametrize(
    ("partition", "seconds", "longest", "links"),
    [
        ("", 12 * HOUR + 1, 12 * HOUR, 2),
        ("", 24 * HOUR - 240, 12 * HOUR, 2),
        ("", 24 * HOUR - 239, 12 * HOUR, 3),
        ("short", 36 * HOUR, 12 * HOUR, 4),
        ("tiny", 601, 600, 2),
        ("tiny", 1080, 600, 2),
        ("tiny", 1081, 600, 3),
        ("short,any", 24 * HOUR, 12 * HOUR, 3),
    ],
)
def test_what_is_longer_becomes_as_many_links_as_it_takes(
    partition: str, seconds: int, longest: int, links: int
) -> None:
    """Each has the longest walltime, and all else that was asked for."""
    made = continued(array_of(seconds), Options(partition=partition), SITE)
    assert made == replace(array_of(longest), links=links)


def test_what_is_packed_cannot_be_continued() -> None:
    """Nobody knows how far each of several has come; what was asked for and the way out are told."""
    packed = replace(array_of(40 * HOUR), pack=4, count=8)
    with pytest.raises(PlanError) as caught:
        continued(packed, Options(), SITE)
    assert caught.value.message == (
        "task `relax` asks for 1 d 16 h for 4 combinations in one array index, but the longest walltime is 12 h, "
        "and what is packed cannot be continued"
    )
    assert caught.value.hint == "leave out `combinations_per_index`, or make it smaller"
    assert continued(replace(packed, resources=Resources(runtime_seconds=HOUR)), Options(), SITE).links == 1
