"""What somebody wants to be tried again, as it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sciflow.errors import RunError
from sciflow.model.cause import Cause
from sciflow.run.wish import Wish, make_wish


def test_nothing_that_is_said_means_all() -> None:
    """All failures, as they are decided upon by themselves."""
    assert make_wish() == Wish()
    assert not Wish().is_partial
    assert Wish().wants(("a.0", 3))
    assert not Wish().names(Cause.CANCELLED, ("a.0", 3))


def test_causes_and_factors_as_they_are_typed() -> None:
    """In one word each, or as Python has them."""
    wish = make_wish("out_of_memory, timeout", scale=["memory=2", "runtime=1.5"], trusted=["n1"])
    assert wish.only == {Cause.OUT_OF_MEMORY, Cause.TIMEOUT}
    assert wish.scale == {"memory": 2.0, "runtime": 1.5}
    assert wish.trusted == ("n1",)
    assert wish.is_partial
    assert make_wish(["timeout"], scale={"memory": 3}).scale == {"memory": 3.0}


def test_indices_are_meant_one_by_one() -> None:
    """Those of other array jobs are not."""
    wish = make_wish(places={"a.0": {1, 2}})
    assert wish.is_partial
    assert [wish.wants(place) for place in (("a.0", 1), ("a.0", 3), ("b.0", 1))] == [True, False, False]
    assert wish.names(Cause.CANCELLED, ("a.0", 1))
    assert not wish.names(Cause.CANCELLED, ("b.0", 1))


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (lambda: make_wish("out_of_memroy"), "`out_of_memroy` is no cause of a failure", "out_of_memory"),
        (lambda: make_wish("timeout,"), "`` is no cause of a failure", "out_of_memory"),
        (lambda: make_wish(scale=["cores=2"]), "`cores` cannot be scaled", "write `memory=2` or `runtime=2`"),
        (lambda: make_wish(scale=["memory"]), "`` is no factor for `memory`", "write it like `memory=2`"),
        (lambda: make_wish(scale=["memory=much"]), "`much` is no factor for `memory`", "write it like `memory=2`"),
        (lambda: make_wish(scale=["memory=0"]), "`0` is no factor for `memory`", "write it like `memory=2`"),
        (lambda: make_wish(scale=["memory=-1"]), "`-1` is no factor for `memory`", "write it like `memory=2`"),
        (lambda: make_wish(scale=["runtime=inf"]), "`inf` is no factor for `runtime`", "write it like `runtime=2`"),
        (lambda: make_wish(scale=["runtime=nan"]), "`nan` is no factor for `runtime`", "write it like `runtime=2`"),
        (lambda: make_wish(scale=["memory=1e30"]), "`1e30` is no sensible factor for `memory`", "0.001 and 1000"),
        (lambda: make_wish(scale=["memory=1e-9"]), "`1e-9` is no sensible factor for `memory`", "0.001 and 1000"),
        (lambda: make_wish(scale=["memory=2", "memory=3"]), "`memory` is scaled twice", "give one `memory=…`"),
        (lambda: make_wish(scale={"memory": -2.0}), "`-2.0` is no factor for `memory`", "write it like `memory=2`"),
    ],
)
def test_what_cannot_be_meant_is_named(make: Callable[[], Any], message: str, hint: str) -> None:
    """With the way out."""
    with pytest.raises(RunError) as caught:
        make()
    assert caught.value.message == message
    assert hint in caught.value.hint
