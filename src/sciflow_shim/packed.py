"""Several combinations in one array index: run one after another, in one record with a group for each."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

from sciflow_shim import files
from sciflow_shim.array import Array
from sciflow_shim.attempt import Attempt
from sciflow_shim.attempt_record import OF_THE_INDEX, attributes, environment_link, tree
from sciflow_shim.cgroup import JOB_MEMORY, job_memory
from sciflow_shim.record import SUPERBLOCK_SIZE, Dataset, FileSlice, Group, Placed, write_record
from sciflow_shim.record_shelf import MEMBERS
from sciflow_shim.supervisor import STOPPED, Supervisor
from sciflow_shim.usage import Resources

if TYPE_CHECKING:
    from sciflow_shim.attempt import Ending

SHORTEST = 5.0  # seconds between two writings of the record
SHARE = 0.01  # of the time at most may be spent writing it
SMALL = 1 << 16  # bytes of one result that are kept in memory until the end
_BLOCK = 1 << 20


class Pack:
    """One attempt of an array index that holds several combinations.

    One that is completed, by this run's records, is not run again. The record is written anew when one of them has
    ended, but not so often that it would cost much, and it is sealed each time: what has ended stays known, whatever
    happens to the others.

    Parameters
    ----------
    array
        The array job.
    element
        The scheduler's index.
    attempt
        Which attempt of it this is.
    environment
        The fingerprint of the environment.
    clock
        Monotonic seconds.
    now
        Seconds since the epoch.
    """

    def __init__(
        self,
        array: Array,
        element: int,
        attempt: int,
        environment: str = "",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.array = array
        self.element = element
        self.attempt = attempt
        self.environment = environment
        self.path = array.path(files.record(array.name, element, attempt))
        self.states: dict[int, str] = {}
        self.indices = [index for index in array.of_element(element) if _is_wanted(array, index)]
        self._clock = clock
        self.now = now
        self._start = now()
        self._state = "RUNNING"
        self._resources = Resources()
        self._common: dict[str, Any] = {}
        self._placed: dict[str, Placed] = {}
        self._end = SUPERBLOCK_SIZE
        self._outcomes: list[str] = []
        self._endings: list[Ending] = []
        self._held_back = ""
        self._next_write = clock() + SHORTEST

    def run(
        self, supervisor: Supervisor, is_stopped: Callable[[], bool], is_late: Callable[[], bool] = lambda: False
    ) -> int:
        """Run all that is to be run, until it is stopped; when it is late, what runs is told so.

        Returns
        -------
        int
            The exit code: 0 when at least one is completed, as what waits for it looks at the record of each.
        """
        self.remove_leftovers()
        supervisor.make_attempt = self._member
        for index in self.indices:
            if is_stopped() or self.is_held_back():
                break
            supervisor.start(index, self.attempt, [], None)
            if index == self.indices[0]:
                supervisor.record_start()
            while supervisor.running:
                if is_stopped():
                    supervisor.cancel(index, message=STOPPED)
                elif is_late():
                    supervisor.warn()
                supervisor.step()
        supervisor.close()
        return self.close(is_stopped())

    def write(self, running: Member | None = None) -> None:
        """Write what is known so far."""
        members: dict[str, Any] = dict(self._placed)
        if running is not None:
            self._common = running.common
            members[str(running.index)] = running.tree()
        usage = Group({**self._resources.as_dict(), **job_memory(os.getpid(), os.environ)})
        root = Group(self._attributes(), {MEMBERS: Group({}, members), "resources": usage})
        if self.environment:
            root.members["environment"] = environment_link(self.array, self.environment, self.path)
        began = self._clock()
        write_record(self.path, root, placed=self._placed.values())
        now = self._clock()
        self._next_write = now + max(SHORTEST, (now - began) / SHARE)

    def keep(self, member: Member) -> None:
        """Take in one that has ended.

        Raises
        ------
        ValueError
            For results that a record cannot hold.
        """
        group = member.tree()
        member.has_large_results = _hold_small(group)
        placed = Placed(group, self._end)
        if member.has_large_results:
            self._outcomes.append(member.outcome_path)
        self._common = member.common
        self._placed[str(member.index)] = placed
        self._end = placed.end
        self.states[member.index] = member.state
        self._endings.append(member.ending)
        self._resources.include(member.resources)
        if self._clock() >= self._next_write:
            try:
                self.write()
            except OSError as error:  # a full disk may have room again at the end
                sys.stderr.write(f"sciflow_shim: an interim record cannot be written: {error}\n")

    def apply_brake(self) -> None:
        """Hold back what has not begun, here and elsewhere, if others have failed like one that has just ended."""
        from sciflow_shim import brake  # only for one that has failed

        brake.apply(self.array, self.element, self.attempt, self._endings)

    def append_log(self, path: str) -> tuple[int, int]:
        """Move what one of them printed to the end of the index's log; gives where it begins there, and its length."""
        whole = self.array.path(files.log(self.array.name, self.element, self.attempt))
        with open(path, "rb") as source, open(whole, "ab") as log:
            start = log.tell()
            while block := source.read(_BLOCK):
                log.write(block)
            length = log.tell() - start
        os.unlink(path)
        return start, length

    def _member(self, array: Array, index: int, attempt: int) -> Member:
        return Member(array, index, attempt, self)

    def is_held_back(self) -> bool:
        """Whether nothing more of it is to be started, which is said then."""
        # Whether the first one starts was asked before there was an attempt.
        self._held_back = self.array.held_back() if self.states else ""
        if self._held_back:
            left = files.format_ranges(index for index in self.indices if index not in self.states)
            sys.stderr.write(f"{self.array.name}[{left}] {self._held_back}\n")
        return bool(self._held_back)

    def close(self, was_stopped: bool) -> int:
        """Write the last record; gives the exit code."""
        is_done = all(self.states.get(index) == "COMPLETED" for index in self.indices)
        self._state = "CANCELLED" if was_stopped else "COMPLETED" if is_done else "FAILED"
        code = 0 if not self.indices or "COMPLETED" in self.states.values() else 1
        if self.indices:
            try:
                self.write()
            except OSError as error:
                sys.stderr.write(f"sciflow_shim: the record cannot be written: {error}\n")
                code = 1
        for path in self._outcomes:
            os.unlink(path)
        return code

    def _attributes(self) -> dict[str, Any]:
        failed = sorted(index for index, state in self.states.items() if state != "COMPLETED")
        text = f"{len(failed)} of {len(self.indices)} did not complete: {files.format_ranges(failed)}" if failed else ""
        text = "; ".join(one for one in (text, self._held_back) if one)
        return {
            **self._common,
            "index": self.element,
            "packed": len(self.indices),
            "state": self._state,
            "exit_code": -1,
            "signal": 0,
            "error_type": "",
            "error": text,
            "start": self._start,
            "end": float("nan") if self._state == "RUNNING" else self.now(),
        }

    def remove_leftovers(self) -> None:
        """Remove what programs of earlier attempts, which were killed, have handed over to nobody."""
        folder = os.path.dirname(self.path)
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if name.startswith(f".{self.element}.") and ".outcome" in name:
                os.unlink(os.path.join(folder, name))


class Member(Attempt):
    """One of several attempts in one array index: its record is a group of that index's."""

    def __init__(self, array: Array, index: int, attempt: int, pack: Pack) -> None:
        super().__init__(array, index, attempt)
        self.pack = pack
        self.mark = f"{pack.element}.{attempt}"
        self.log = array.path(files.member_log(array.name, pack.element, attempt, index))
        self.outcome_path = array.path(files.member_outcome(array.name, pack.element, attempt, index))
        self.has_large_results = False
        self._log_place = (0, 0)

    @property
    def common(self) -> dict[str, Any]:
        """The attributes that all in the array index have in common."""
        return {name: value for name, value in attributes(self).items() if name in OF_THE_INDEX}

    def tree(self) -> Group:
        """What the record says of this one."""
        group = tree(self, self.pack.path)
        group.members.pop("environment", None)
        for name in JOB_MEMORY:
            group.members["resources"].attributes.pop(name, None)  # it is that of all
        own = {name: value for name, value in group.attributes.items() if name not in OF_THE_INDEX}
        group.attributes = {**own, "log_start": self._log_place[0], "log_length": self._log_place[1]}
        return group

    def write(self) -> None:
        """Write the record of the array index while this one runs; when it has ended, hand it over."""
        if self.end is None:
            self.pack.write(self)
            return
        if os.path.exists(self.log):
            self._log_place = self.pack.append_log(self.log)
        self.pack.keep(self)

    def apply_brake(self) -> None:
        """Hold back what has not begun, if others have failed like this one."""
        self.pack.apply_brake()

    def _remove_outcome(self) -> None:
        if not self.has_large_results:
            super()._remove_outcome()


def _is_wanted(array: Array, index: int) -> bool:
    if array.only is not None and index not in array.only:
        return False
    found = array.shelf.find(array.name, index, array.pack)
    return found is None or found.state != "COMPLETED" or not array.shelf.is_sealed(found)


def _hold_small(tree: Group) -> bool:
    """Read small results into memory, so that their file is not needed any more; whether large ones are left."""
    is_large = False
    for dataset in _datasets(tree):
        if isinstance(dataset.data, FileSlice):
            if dataset.data.length > SMALL:
                is_large = True
            else:
                dataset.data = b"".join(dataset.data.blocks())
    return is_large


def _datasets(group: Group) -> Iterator[Dataset]:
    for member in group.members.values():
        if isinstance(member, Dataset):
            yield member
        elif isinstance(member, Group):
            yield from _datasets(member)
