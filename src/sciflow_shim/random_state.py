"""Keeps children that are forked from one process from drawing the same random numbers."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_GENERATOR = "numpy.random.mtrand"


class NumpyWatch:
    """Notes the state of NumPy's global generator as it is imported, to tell later whether it has been seeded.

    A process of its own would begin with a state of its own; one that was seeded on purpose keeps its seed.
    """

    def __init__(self) -> None:
        self._first = b""

    def find_spec(self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> Any:
        """Find the generator's module, as the import system asks its finders."""
        if name != _GENERATOR:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            load: Any = spec.loader.exec_module

            def load_and_note(module: ModuleType) -> None:
                load(module)
                self._first = _state()

            spec.loader.exec_module = load_and_note
        return spec

    def reseed(self) -> None:
        """Give this process random numbers of its own, where nobody has seeded the generator."""
        if self._first and _state() == self._first:
            sys.modules[_GENERATOR].seed()


def _state() -> bytes:
    return sys.modules[_GENERATOR].get_state()[1].tobytes()
