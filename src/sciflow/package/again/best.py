"""Where a metric is best: in the packaged run, and in the one made again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sciflow.package.again.recorded import Instance
from sciflow.package.again.tolerances import Tolerances
from sciflow.package.ways import ways_asked


@dataclass(frozen=True)
class Watched:
    """The best setting by a metric, there and here, of those that were compared.

    Attributes
    ----------
    metric, is_largest
        Which metric, and whether the largest of its values is the best.
    there, here
        The setting, without the parameters that only repeat.
    value_there, value_here
        The metric at it, or its mean over the repeats: there at the setting that is best there, here likewise.
    is_same
        Whether it is the same setting, or one that is as good by the tolerance.
    """

    metric: str
    is_largest: bool
    there: Mapping[str, Any]
    here: Mapping[str, Any]
    value_there: float
    value_here: float
    is_same: bool


@dataclass
class _Setting:
    parameters: Mapping[str, Any]
    there: float = 0.0
    here: float = 0.0
    count: int = 0


class BestWatch:
    """Sees all values of the metrics that a workflow shows.

    Parameters
    ----------
    manifest
        That of the packaged run.
    metrics, tasks
        The names of its metrics, and the task of each.
    """

    def __init__(self, manifest: Mapping[str, Any], metrics: Sequence[str], tasks: Mapping[str, str]) -> None:
        self._repeats = frozenset((manifest.get("roles") or {}).get("repeats", ()))
        self._ways = {name: ways for name, ways in ways_asked(manifest).items() if name in metrics}
        self._places = {
            name: (tasks[name], name.removeprefix(f"{tasks[name]}.")) for name in self._ways if name in tasks
        }
        self._settings: dict[str, dict[str, _Setting]] = {name: {} for name in self._places}

    def see(self, instance: Instance, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
        """Take in what an instance has measured, where both have a finite number."""
        for metric, (task, name) in self._places.items():
            if task != instance.task:
                continue
            before, now = there.get(name), here.get(name)
            if not (_is_finite(before) and _is_finite(now)):
                continue
            setting = {n: value for n, value in instance.parameters.items() if n not in self._repeats}
            known = self._settings[metric].setdefault(json.dumps(setting, sort_keys=True), _Setting(setting))
            known.there, known.here, known.count = known.there + before, known.here + now, known.count + 1

    def found(self, tolerances: Tolerances) -> list[Watched]:
        """The best by each metric, where there are several settings to choose from."""
        found = []
        for metric, settings in self._settings.items():
            if len(settings) < 2:
                continue
            rule = tolerances.rule(*self._places[metric])
            for is_largest in self._ways[metric]:
                pick = max if is_largest else min
                there = pick(settings.values(), key=lambda one: one.there / one.count)
                here = pick(settings.values(), key=lambda one: one.here / one.count)
                values = there.there / there.count, here.here / here.count
                gap = abs(there.here / there.count - values[1])
                is_same = there is here or rule.allows(gap, abs(values[1]))
                found.append(Watched(metric, is_largest, there.parameters, here.parameters, *values, is_same))
        return found


def _is_finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
