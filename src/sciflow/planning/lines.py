"""The text of `arrays/<array>.jsonl`: one line per array index, all that the node needs to know of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sciflow.model.values import ID_LENGTH
from sciflow.planning.arrays import Placement
from sciflow.planning.commands import EarlierResults
from sciflow.planning.projection import Ints, Projection, Relation
from sciflow.planning.uses import TaskUse
from sciflow_shim import files


class Lines:
    """Writes the lines of all array jobs of a plan.

    Parameters
    ----------
    uses
        Task → what it uses, in running order.
    projections, placements
        Task → its instances, and where they went.
    relations
        (task, earlier task) → who needs whom.
    """

    def __init__(
        self,
        uses: Mapping[str, TaskUse],
        projections: Mapping[str, Projection],
        placements: Mapping[str, Placement],
        relations: Mapping[tuple[str, str], Relation],
    ) -> None:
        self.uses = uses
        self.projections = projections
        self.placements = placements
        self.relations = relations
        self._ids: dict[str, list[str]] = {}
        self._gathered: dict[str, list[str] | None] = {}

    def of_array(self, task: str, members: Ints, named: Sequence[str]) -> Iterator[str]:
        """The lines of one array job.

        Parameters
        ----------
        task
            Whose array job.
        members
            Its instances, by index.
        named
            The earlier tasks whose array indices each line has to name.
        """
        plain = not (named or self.uses[task].template or self.gathered(task))
        for instance, name, parameters in self._identified(task, members):
            more = "" if plain else self._more(task, instance, named)
            yield f'{{"instance":{instance},"id":"{name}","parameters":{{{parameters}}}{more}}}\n'

    def ids(self, task: str) -> list[str]:
        """The id of every instance of a task."""
        if task not in self._ids:
            everyone = np.arange(len(self.projections[task]), dtype=np.int64)
            self._ids[task] = [name for _, name, _ in self._identified(task, everyone)]
        return self._ids[task]

    def gathered(self, task: str) -> list[str] | None:
        """For tasks that gather, and those after them: a digest of what each instance gathers; else None.

        Parameters tell other instances apart; an instance that gathers is another one when there is more to gather.
        """
        if task not in self._gathered:
            before = [
                one
                for one in self.uses[task].task.depends_on
                if self.relations[task, one].many or self.gathered(one) is not None
            ]
            count = len(self.projections[task])
            self._gathered[task] = [self._digest(task, i, before) for i in range(count)] if before else None
        return self._gathered[task]

    def _identified(self, task: str, members: Ints) -> Iterator[tuple[int, str, str]]:
        """Instance, id and parameters as JSON; written by hand because a sweep may have millions."""
        projection = self.projections[task]
        shown = [
            [f"{json.dumps(column.name, ensure_ascii=False)}:{text}" for text in column.texts]
            for column in projection.columns
        ]
        by_name = sorted(range(len(shown)), key=lambda i: projection.names[i])
        for instance, codes in zip(members.tolist(), projection.rows(members), strict=True):
            parts = [texts[code] for texts, code in zip(shown, codes, strict=True)]
            canonical = "{" + ",".join([parts[i] for i in by_name]) + "}"
            yield instance, hashlib.sha256(canonical.encode()).hexdigest()[:ID_LENGTH], ",".join(parts)

    def _digest(self, task: str, instance: int, before: Sequence[str]) -> str:
        digest = hashlib.sha256()
        for earlier in before:
            ids, gathered = self.ids(earlier), self.gathered(earlier)
            for one in self.relations[task, earlier].needed(instance).tolist():
                digest.update(f"{earlier}:{ids[one]}:{gathered[one] if gathered else ''};".encode())
        return digest.hexdigest()[:ID_LENGTH]

    def _more(self, task: str, instance: int, named: Sequence[str]) -> str:
        more: dict[str, Any] = {}
        if gathered := self.gathered(task):
            more["gathers"] = gathered[instance]
        if named:
            more["upstream"] = {
                earlier: [
                    [array, files.format_ranges(indices.tolist())]
                    for array, indices in self.placements[earlier].where(self.relations[task, earlier].needed(instance))
                ]
                for earlier in named
            }
        if template := self.uses[task].template:
            parameters = self.projections[task].parameters(instance)
            inputs = {earlier: self._results(task, earlier, instance) for earlier in template.inputs}
            more["command"] = template.render(parameters, inputs)
            if decks := template.render_files(parameters, inputs):
                more["files"] = decks
        return "," + json.dumps(more, ensure_ascii=False, separators=(",", ":"))[1:-1] if more else ""

    def _results(self, task: str, earlier: str, instance: int) -> EarlierResults | list[EarlierResults]:
        relation, ids = self.relations[task, earlier], self.ids(earlier)
        found = [
            EarlierResults(self.uses[earlier].task, ids[one], self.projections[earlier].parameters(one))
            for one in relation.needed(instance).tolist()
        ]
        return found if relation.many else found[0]
