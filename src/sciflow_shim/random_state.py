"""Keeps children that are forked from one process from drawing the same random numbers."""

from __future__ import annotations

import gc
import importlib.machinery
import random
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Callable

_NUMPY_SEEDS = "numpy.random.bit_generator"


class RandomWatch:
    """Notes, while a module is loaded, which generators take their seed from the system, and renews those in a child.

    A process of its own would have seeded these anew; one that was seeded on purpose keeps its seed.
    """

    def __init__(self) -> None:
        self._entropies: set[int] = set()
        self._instances: dict[int, tuple[random.Random, bool]] = {}
        self._end: list[Callable[[], None]] = []
        self._global_state: Any = None
        self._sequences: list[Any] = []
        self._generators: list[Any] = []
        self._legacy: list[Any] = []

    def begin(self) -> None:
        """Watch from here on."""
        sys.meta_path.insert(0, self)
        methods = {name: getattr(random.Random, name) for name in ("seed", "setstate")}
        first = random._inst

        def seed(one: random.Random, a: Any = None, *rest: Any, **named: Any) -> None:
            self._instances[id(one)] = (one, a is None)
            methods["seed"](one, a, *rest, **named)

        def setstate(one: random.Random, state: Any) -> None:
            self._instances[id(one)] = (one, False)
            methods["setstate"](one, state)

        def put(found: dict[str, Any]) -> None:
            for name, method in found.items():
                setattr(random.Random, name, method)
                setattr(random, name, getattr(first, name))

        put({"seed": seed, "setstate": setstate})
        self._end.append(lambda: put(methods))

    def find_spec(self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> Any:
        """Find the module that seeds NumPy's generators, as the import system asks its finders."""
        if name != _NUMPY_SEEDS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            load: Any = spec.loader.exec_module

            def load_and_watch(module: ModuleType) -> None:
                load(module)
                self._watch(module)

            spec.loader.exec_module = load_and_watch
        return spec

    def end(self) -> None:
        """Find the generators that are there now."""
        sys.meta_path.remove(self)
        for undo in self._end:
            undo()
        _, is_renewed = self._instances.pop(id(random._inst), (None, True))
        if not is_renewed:
            self._global_state = random.getstate()
        if _NUMPY_SEEDS not in sys.modules:
            return
        seeds, legacy = sys.modules[_NUMPY_SEEDS], sys.modules["numpy.random.mtrand"]
        kinds = (seeds.SeedSequence, seeds.BitGenerator, legacy.RandomState)
        for one in gc.get_objects():
            if not isinstance(one, kinds):
                continue
            if isinstance(one, seeds.SeedSequence):
                self._sequences += [one] if self._has_given(one) else []
            elif isinstance(one, seeds.BitGenerator):
                self._generators += [one] if self._is_systems(one) else []
            elif self._is_systems(one._bit_generator):
                self._legacy.append(one)

    def renew(self) -> None:
        """Give this process, just forked, random numbers of its own."""
        if self._global_state is not None:
            random.setstate(self._global_state)  # Python has seeded it anew in the fork
        for one, is_systems in self._instances.values():
            if is_systems:
                one.seed()
        if not self._sequences:
            return
        drawn: dict[int, int] = {}  # sequences that were one stay one
        randbits = sys.modules[_NUMPY_SEEDS].randbits
        for one in self._sequences:
            entropy = drawn.setdefault(one.entropy, randbits(128))
            one.__init__(
                entropy, spawn_key=one.spawn_key, pool_size=one.pool_size, n_children_spawned=one.n_children_spawned
            )
        for one in self._generators:
            one.state = type(one)(_sequence(one)).state
        for one in self._legacy:
            state = one.get_state(legacy=False)
            one.set_state({**state, "has_gauss": 0, "gauss": 0.0})

    def _watch(self, module: Any) -> None:
        draw = module.randbits

        def randbits(bits: int) -> int:
            value = draw(bits)
            self._entropies.add(value)
            return value

        module.randbits = randbits
        self._end.append(lambda: setattr(module, "randbits", draw))

    def _has_given(self, sequence: Any) -> bool:
        entropy = getattr(sequence, "entropy", None)  # a user's own kind of sequence may have none, or a list
        return isinstance(entropy, int) and entropy in self._entropies

    def _is_systems(self, generator: Any) -> bool:
        sequence = _sequence(generator)
        if sequence is None or not self._has_given(sequence):
            return False
        # What tells streams apart stays as it is when numbers are drawn, but not when a state is put in its place.
        now, first = generator.state["state"], type(generator)(sequence).state["state"]
        return "inc" not in now or now["inc"] == first["inc"]


def _sequence(generator: Any) -> Any:
    return getattr(generator, "seed_seq", None) or getattr(generator, "_seed_seq", None)
