"""Job identifiers."""

from __future__ import annotations

import pytest

from sciflow.schedulers.fake.pbs.names import read_target
from unit.schedulers.fake.pbs_desk import PbsDesk


def test_what_an_identifier_means() -> None:
    """A job, an array job, a sub-job, or a range of them; the server may be left out."""
    plain, array, one, some = (read_target(text) for text in ("12", "12[].virtual", "12[4]", "12[2-8:3].virtual"))
    assert plain is not None
    assert array is not None
    assert one is not None
    assert some is not None
    assert (plain.full, plain.is_array, plain.numbers) == ("12.virtual", False, None)
    assert (array.full, array.is_array, array.numbers) == ("12[].virtual", True, None)
    assert (list(one.numbers or ()), one.is_one) == ([4], True)
    assert (list(some.numbers or ()), some.is_one) == ([2, 5, 8], False)


@pytest.mark.parametrize("text", ["", "abc", "12[8,9]", "12.elsewhere", "12[1-]", "12,13"])
def test_what_is_none(text: str) -> None:
    """Lists are none either."""
    assert read_target(text) is None


def test_an_array_job_is_not_known_without_its_brackets(desk: PbsDesk) -> None:
    """Nor another job with them."""
    array, plain = desk.submit("-J 0-1"), desk.submit()
    number = array.partition("[")[0]
    assert desk.type(f"qdel {number}.virtual").code == 153
    assert desk.type(f"qdel '{plain.partition('.')[0]}[].virtual'").code == 153
    assert desk.type(f"qdel '{array}' {plain}").code == 0


def test_a_range_may_go_beyond_the_end(desk: PbsDesk) -> None:
    """What is not there is left out."""
    target = read_target(desk.submit("-J 0-9:2").replace("[]", "[3-20]"))
    assert target is not None
    job = target.job(desk.cluster)
    assert job is not None
    assert target.chosen(job) == [4, 6, 8]
