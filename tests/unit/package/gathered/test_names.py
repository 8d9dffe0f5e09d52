"""Names that only some systems can write are told."""

from __future__ import annotations

import pytest

from sciflow.package.gathered.names import doubts_of_names


@pytest.mark.parametrize("name", ["d/COM1", "nul.txt/a", "12:30.csv", "why?", "end.", "d /a", 'a"b', "Aux"])
def test_a_name_that_windows_cannot_write_is_told(name: str) -> None:
    """Whether it is a device's, has a sign of another meaning, or ends with what is cut off."""
    [text] = doubts_of_names(["plain/a.txt", name])
    assert text.startswith(f"`{name}` has a name")


def test_many_are_told_by_one() -> None:
    """One of them stands for all; of names that all systems have, nothing is said."""
    assert doubts_of_names(["b:", "a:", "c"])[0].startswith("`a:` and 1 more have a name")
    assert doubts_of_names(["common/console.txt", "com10", ".hidden", "ü", "a b+c,d;e=f(1)[2].txt"]) == []
