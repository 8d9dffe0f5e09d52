"""What stands behind `qsub -v`, as it arrives in the job: some of it is mangled on the way."""

from __future__ import annotations

from collections.abc import Mapping

from sciflow.schedulers.fake.pbs.amounts import Wrong

_REFUSED = "qsub: cannot send environment with the job"


def read_variables(text: str, own: Mapping[str, str], is_all: bool) -> dict[str, str]:
    """The variables that a job is given.

    Parameters
    ----------
    text
        What stands behind `-v`.
    own
        The environment of who calls.
    is_all
        Whether all of it is given (`-V`).

    Raises
    ------
    Wrong
        For quotes that are not closed, and names that have no value.
    """
    found = dict(own) if is_all else {}
    for part in _split(text) if text else ():
        name, equals, value = part.partition("=")
        if not name or (not equals and name not in own):
            raise Wrong(_REFUSED, 1)
        found[name] = value if equals else own[name]
    return found


def _split(text: str) -> list[str]:
    """Cut at commas; quotes are stripped, and backslashes doubled but for those before a comma."""
    parts, quote, place = [""], "", 0
    while place < len(text):
        one = text[place]
        if one == "\\":
            is_comma = text[place + 1 : place + 2] == ","
            parts[-1] += "," if is_comma else "\\\\"
            place += is_comma
        elif quote:
            quote, more = ("", "") if one == quote else (quote, one)
            parts[-1] += more
        elif one in "\"'":
            quote = one
        elif one == ",":
            parts.append("")
        else:
            parts[-1] += one
        place += 1
    if quote:
        raise Wrong(_REFUSED, 1)
    return parts
