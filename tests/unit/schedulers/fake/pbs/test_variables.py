"""What becomes of values behind `qsub -v`."""

from __future__ import annotations

import pytest

from sciflow.schedulers.fake.pbs.amounts import Wrong
from sciflow.schedulers.fake.pbs.variables import read_variables


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("A=1", "1"), ("A=a b", "a b"), ("A=b=c", "b=c"), ("A=$HOME", "$HOME"), ("A=", ""), ("A=é\n", "é\n")),
        *((r"A=a\,b", "a,b"), ("A='a,b'", "a,b"), ('A=say "hi" there', "say hi there"), (r"A=a\b", r"a\\b")),
    ],
)
def test_a_value_as_it_arrives(text: str, value: str) -> None:
    """Quotes are stripped, backslashes doubled."""
    assert read_variables(text, {}, False) == {"A": value}


@pytest.mark.parametrize("text", ['A=a"b', "A=it's", "A=x,y", ",A=1", "NOPE"])
def test_what_cannot_be_sent(text: str) -> None:
    """Open quotes, and names without a value."""
    with pytest.raises(Wrong, match="cannot send environment with the job"):
        read_variables(text, {}, False)


def test_whose_value_it_is() -> None:
    """A bare name has that of who submits; all of the environment goes along if that is asked for."""
    own = {"MINE": "1", "OTHER": "2"}
    assert read_variables("MINE,B=two", own, False) == {"MINE": "1", "B": "two"}
    assert read_variables("B=two", own, True) == {**own, "B": "two"}
