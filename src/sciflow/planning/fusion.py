"""Element-wise chains of tasks that are fused: each runs in the array index in which the one before it has run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sciflow.errors import PlanError
from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.model.task import Task
from sciflow.model.units import format_duration
from sciflow.planning.caps import longest_walltime
from sciflow.planning.fit import check_site
from sciflow.planning.layout import Layout
from sciflow.planning.projection import Relation
from sciflow.planning.uses import TaskUse

_ALONE = "leave out `fuse`, and it gets jobs of its own"


@dataclass(frozen=True)
class Fused:
    """Array jobs, those of tasks that are fused being tied together, and what is to be said of that."""

    arrays: list[ArrayJob]
    notes: tuple[str, ...] = ()


def fused(arrays: Sequence[ArrayJob], tasks: Mapping[str, Task], policies: Policies, profile: ClusterProfile) -> Fused:
    """Let each task that says so run in the array indices of the one that it waits for.

    Parameters
    ----------
    arrays
        In running order, with their options and what they wait for.
    tasks
        Name → task.
    policies, profile
        When they begin, and where they run.

    Raises
    ------
    PlanError
        For a task that cannot be fused, with the reason.
    """
    wanted = [name for name, task in tasks.items() if task.fuse]
    if not wanted:
        return Fused(list(arrays))
    if not profile.has_queue:
        names, verb = ", ".join(f"`{name}`" for name in wanted), "says" if len(wanted) == 1 else "say"
        where = f"profile `{profile.name}` has no queue: each instance runs on its own"
        return Fused(list(arrays), (f"{names} {verb} `fuse: true`, but {where}",))
    chains = _Chains(arrays, tasks, policies, profile)
    for name in wanted:
        for array in [one for one in arrays if one.task == name]:
            chains.add(array)
    return Fused(chains.tied(), tuple(chains.notes()))


def aligned(
    layouts: Mapping[str, Layout], uses: Mapping[str, TaskUse], relations: Mapping[tuple[str, str], Relation]
) -> dict[str, Layout]:
    """The layouts of tasks, those that are fused having the same array jobs: one for each pair of requests.

    Parameters
    ----------
    layouts
        Task → its layout, by what it asks for alone.
    uses, relations
        The tasks in running order, and who needs whom.
    """
    made = dict(layouts)
    chain_of: dict[str, list[str]] = {}
    for task, use in uses.items():
        before = [one for one in use.task.depends_on if use.task.fuse and relations[task, one].is_same]
        chain = chain_of[task] = [*(chain_of[before[-1]] if before else ()), task]
        if not before or any(made[one].order is not None or max(made[one].packs) > 1 for one in chain):
            continue
        codes = np.stack([made[one].codes for one in chain])
        _, first, new = np.unique(codes, axis=1, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))  # in the order in which they come first
        for one in chain:
            kinds = [made[one].requests[int(code)] for code in made[one].codes[np.sort(first)].tolist()]
            made[one] = Layout(rank[new.reshape(-1)], kinds, (1,) * len(kinds))
    return made


def with_times(arrays: Sequence[ArrayJob], submitted: Sequence[ArrayJob]) -> tuple[ArrayJob, ...]:
    """Array jobs with the start times of those that were given to the timetable: what is fused begins with its job."""
    known = {one.name: one for one in submitted}
    jobs = [known[array.rides or array.name] for array in arrays]
    return tuple(replace(array, begin=job.begin, waves=job.waves) for array, job in zip(arrays, jobs, strict=True))


class _Chains:
    """The chains of array jobs that run in the same indices, as they are put together."""

    def __init__(
        self, arrays: Sequence[ArrayJob], tasks: Mapping[str, Task], policies: Policies, profile: ClusterProfile
    ) -> None:
        self._arrays = {array.name: array for array in arrays}
        self._tasks, self._policies, self._profile = tasks, policies, profile
        self._chains: dict[str, list[ArrayJob]] = {}  # the first of each → all of it, in running order
        self._first: dict[str, str] = {}  # each that rides → the first of its chain

    def add(self, array: ArrayJob) -> None:
        """Let an array job run after the one that it waits for, in the same indices."""
        before = self._before(array)
        first = self._first.get(before.name, before.name)
        chain = self._chains.get(first, [before])
        if chain[-1] is not before:
            raise _refused(array, f"`{chain[chain.index(before) + 1].task}` is fused with `{before.task}` already")
        self._check_waits(array, chain)
        self._check_terms(array, chain)
        self._chains[first] = [*chain, array]
        self._first[array.name] = first

    def tied(self) -> list[ArrayJob]:
        """All array jobs; who waits for one that is not the last of its chain waits for the records of all of it.

        The scheduler tells index by index only whether all of a chain has ended well.
        """
        not_last = {one.name for chain in self._chains.values() for one in chain[:-1]}
        found = []
        for array in self._arrays.values():
            first = self._first.get(array.name, array.name)
            chain = self._chains.get(first, [])
            after = array.after
            if not chain or array is chain[0]:
                after = tuple(Dependency(one.array, "whole") if one.array in not_last else one for one in after)
            if array.name in self._first:
                array = replace(array, rides=first)
            elif chain:
                array = replace(array, riders=tuple(one.name for one in chain[1:]), together=_together(chain))
            found.append(replace(array, after=tuple(dict.fromkeys(after))))
        return found

    def notes(self) -> list[str]:
        """Say what runs in the indices of what."""
        pairs = dict.fromkeys((chain[0].task, tuple(one.task for one in chain[1:])) for chain in self._chains.values())
        return [
            f"{' and then '.join(f'`{one}`' for one in riders)} {'runs' if len(riders) == 1 else 'run'} "
            f"in the array indices of `{first}`, after it: one job for {'both' if len(riders) == 1 else 'all'}"
            for first, riders in pairs
        ]

    def _before(self, array: ArrayJob) -> ArrayJob:
        """The array job after which one runs: of several in the same chain the last."""
        if not array.after:
            raise _refused(array, "it waits for no other task")
        twins = [self._arrays[one.array] for one in array.after if one.kind == "element"]
        before = (self._arrays[one.array] for one in array.after)
        packed = next((one for one in (*before, array) if one.pack > 1), None)
        if packed is not None:
            raise _refused(
                array,
                f"`{packed.task}` packs {packed.pack} combinations into an array index, and what is packed cannot be "
                "fused",
                f"leave out `combinations_per_index` of `{packed.task}`, or `fuse` of `{array.task}`",
            )
        if not twins:
            names = ", ".join(f"`{one}`" for one in dict.fromkeys(self._arrays[d.array].task for d in array.after))
            raise _refused(
                array,
                f"it does not wait index by index for {names}: they have other instances",
                "a fused task has the same parameters as the one before it",
            )
        firsts = {self._first.get(one.name, one.name) for one in twins}
        if len(firsts) > 1:
            raise _refused(array, f"it waits index by index for {' and '.join(f'`{one.task}`' for one in twins)}")
        chain = self._chains.get(firsts.pop(), twins)
        return max(twins, key=lambda one: [member.name for member in chain].index(one.name))

    def _check_waits(self, array: ArrayJob, chain: list[ArrayJob]) -> None:
        """Refuse one that waits for more than those before it have waited for."""
        seen = {one.name for one in chain} | {before.array for one in chain for before in one.after}
        for other in array.after:
            if other.array not in seen:
                raise _refused(
                    array,
                    f"it also waits for `{self._arrays[other.array].task}`, for which `{chain[0].task}` does not wait",
                    f"let `{chain[0].task}` wait for it as well, or leave out `fuse`",
                )
        if self._tasks[array.task].missing == "skip":
            raise _refused(array, "also `missing: skip`: it would start where the one before it has failed")

    def _check_terms(self, array: ArrayJob, chain: list[ArrayJob]) -> None:
        """Refuse one that cannot have the same job as those before it."""
        first = chain[0]
        for one in (first, array):
            if one.links > 1:
                raise _refused(array, f"`{one.task}` takes longer than one job may, and goes on in {one.links}")
        for name, own, other in zip(array.options._fields, array.options, first.options, strict=True):
            if own != other:
                said = f"it has {_shown(name, own)}, and `{first.task}` {_shown(name, other)}"
                raise _refused(array, said, "one job has the same for all: say it for both, or leave out `fuse`")
        if self._policies.of(array.task) != self._policies.of(first.task):
            raise _refused(array, f"its `schedule` is another than that of `{first.task}`")
        for name in ("nodes", "mpi_tasks"):
            own, other = getattr(array.resources, name), getattr(first.resources, name)
            if own != other:
                raise _refused(array, f"it asks for {own or 'no'} `{name}`, and `{first.task}` for {other or 'no'}")
        self._check_site(array, _together([*chain, array]), first)

    def _check_site(self, array: ArrayJob, together: Resources, first: ArrayJob) -> None:
        longest = longest_walltime(array.options, self._profile)
        if longest is not None and together.runtime_seconds > longest:
            raise _refused(
                array,
                f"with `{first.task}` it asks for {format_duration(together.runtime_seconds)} one after another, and "
                f"the longest walltime is {format_duration(longest)}",
            )
        check_site(together, array.options, array.task, self._profile)


def _together(chain: Sequence[ArrayJob]) -> Resources:
    """The request of all that run in an index one after another: the largest of each, and the sum of their times."""

    def most(of: Callable[[Resources], int]) -> int:
        """The most of something; nothing where one of them does not say how much it needs."""
        amounts = [of(one.resources) for one in chain]
        return max(amounts) if all(amounts) else 0

    requests = [one.resources for one in chain]
    seconds = [one.runtime_seconds for one in requests]
    return requests[0]._replace(
        cpu_cores=max(one.cpu_cores for one in requests),
        memory_bytes=most(lambda one: one.memory_bytes),
        gpus=max(one.gpus for one in requests),
        runtime_seconds=sum(seconds) if all(seconds) else 0,
    )


def _shown(name: str, value: object) -> str:
    if not value:
        return f"no `{name}`"
    return f"`{name}: {', '.join(map(str, value)) if isinstance(value, tuple) else value}`"


def _refused(array: ArrayJob, why: str, hint: str = _ALONE) -> PlanError:
    return PlanError(f"task `{array.task}` says `fuse: true`, but {why}", hint=hint)
