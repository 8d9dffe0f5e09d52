"""The functions that could not be imported where they ran: a module that gives them as they were stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from sciflow.package import layout

_HEAD = '''"""Functions of this workflow that could not be imported: each is as it was stored when it ran.

Their source, where there was any, stands above each as a comment. They are read by `pickle`, which runs code: look at
where this package came from before you import this.
"""

import pickle
from pathlib import Path


def _stored(name):
    return pickle.loads(Path(__file__).with_name("stored_functions").joinpath(name).read_bytes())
'''


class Stored(NamedTuple):
    """A stored function: whose it is, which of them, where the run has kept it, and its source."""

    task: str
    number: int
    kept: str
    source: str

    @property
    def name(self) -> str:
        """What the module calls it."""
        return f"task_{self.number}_{re.sub(r'[^A-Za-z0-9_]', '_', self.task)}"

    @property
    def place(self) -> str:
        """Where it is stored, in the payload."""
        return f"{layout.STORED}/{self.task}.pickle"


def functions_module(stored: Iterable[Stored]) -> str:
    """The text of a module that gives stored functions."""
    parts = [_HEAD]
    for one in stored:
        comment = "".join(f"# {line}".rstrip() + "\n" for line in one.source.splitlines())
        parts.append(f'\n\n{comment}{one.name} = _stored("{one.task}.pickle")\n')
    return "".join(parts)
