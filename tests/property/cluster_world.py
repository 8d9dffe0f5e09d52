"""A small virtual cluster, a user who works on it through the adapter of its face, and what must hold all the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sciflow.errors import SchedulerError, TransportError
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.run.judge import Evidence, judge, tells_all
from sciflow.schedulers.base import After, QueueScheduler, Submission
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.dependencies import HOPELESS
from sciflow.schedulers.fake.jobs import RUNS, WAITS, Index, Job
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.request import Order, Refused, Request
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.scheduler import scheduler_of
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.store.records import RecordState
from sciflow.store.statements import Observed

GIB = 1 << 30
Place = tuple[int, int]  # the place of a job among all submissions, and a number of it
LINGER, TOLD = 1.0, 2.0  # seconds between a record and the end of its job, and until one that is told to end has


@dataclass(frozen=True)
class Work:
    """What an index does: how long, with which exit code, whether it ends when it is told to and leaves records."""

    seconds: float = 60.0
    code: int = 0
    is_deaf: bool = False
    has_records: bool = True


class Body:
    """Runs what was said when it was submitted, and keeps the last record of each index."""

    def __init__(self) -> None:
        self.works: dict[int, Work] = {}
        self.records: dict[Place, RecordState] = {}

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start an index; one that is completed has nothing to do."""
        place = index.job.order, index.number
        work, known, run = self.works[index.job.order], self.records.get(place), index.run_of
        if known is not None and known.state is State.COMPLETED:
            cluster.clock.after(LINGER, lambda: cluster.is_current(index, run) and cluster.exited(index, 0))
            return
        self._record(cluster, index, State.RUNNING)

        def end() -> None:
            if cluster.is_current(index, run) and not index.fate:
                self._record(cluster, index, State.FAILED if work.code else State.COMPLETED)
                cluster.clock.after(LINGER, leave)

        def leave() -> None:
            if cluster.is_current(index, run):
                cluster.exited(index, work.code)

        cluster.clock.after(work.seconds, end)

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Let it end soon, unless it does not listen."""
        run = index.run_of
        if not self.works[index.job.order].is_deaf:
            known = self.records.get((index.job.order, index.number))
            if known is None or not known.state.is_final:
                self._record(cluster, index, State.CANCELLED)
            cluster.clock.after(TOLD, lambda: cluster.is_current(index, run) and cluster.exited(index, 143))

    def kill(self, cluster: VirtualCluster, index: Index) -> None:
        """Leave the record that there is."""

    def wait(self, cluster: VirtualCluster) -> bool:
        """Nothing of it is real."""
        return False

    def _record(self, cluster: VirtualCluster, index: Index, state: State) -> None:
        if self.works[index.job.order].has_records:
            now = cluster.clock()
            node = index.node.name if index.node else ""
            record = RecordState(state, "", 1.0, job=index.job.id, end=now, host=node, node=node, start=now)
            self.records[index.job.order, index.number] = record


@dataclass
class Tracked:
    """A job of ours: what is known of it, and what was concluded for good."""

    job: Job
    name: str
    since: float
    upstream: Tracked | None
    cancelled: set[int] = field(default_factory=set)
    concluded: dict[int, State] = field(default_factory=dict)
    states: dict[int, State] = field(default_factory=dict)


class World:
    """The cluster, its user and its other users.

    Parameters
    ----------
    folder
        Where job scripts stand; they are the same in all worlds.
    limit
        How many indices of a user may run at once.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        nodes = [
            Node("n1", 4, 8 * GIB, gpus=2),
            Node("n2", 4, 8 * GIB, features=("fast",)),
            Node("n3", 2, 2 * GIB),
        ]
        rules = Rules(
            (Partition("main", preempted="requeue", longest=7200.0), Partition("high", tier=2, is_default=False),
             Partition("low", nodes=("n2", "n3"), tier=0, preempted="cancel", is_default=False)),
            running_indices=limit,
            last_id=108,
            noticed=20.0,
        )  # fmt: skip
        self.broken = 0
        self.folder, self.body = folder, Body()
        self.cluster = VirtualCluster(nodes, self.body, SLURM, VirtualClock(1_000_000.0), rules)
        self.scheduler: QueueScheduler = scheduler_of(self.cluster, folder)
        self.all: list[Job] = []
        self.ours: list[Tracked] = []
        self.observed = Observed()
        self.ends: Counter[Place] = Counter()
        self.again: Counter[Place] = Counter()
        self.truths: dict[Place, set[str]] = {}
        self.cluster.listeners.append(self._hear)

    # What users do.

    def submit(self, request: Request, work: Work, after: tuple[int, str] | None = None, excluded: str = "") -> None:
        """Submit an array job of ours through the adapter, as `sciflow submit` does."""
        name = f"a{len(self.all)}"
        upstream = self.ours[after[0] % len(self.ours)] if after and self.ours else None
        waits = (
            ()
            if upstream is None or after is None
            else (After(upstream.job.id, "element" if after[1] == "element" else "whole"),)
        )
        is_known = upstream is not None and self.cluster.find(upstream.job.id) is upstream.job
        now = self.cluster.clock()
        array = ArrayJob("a", "a", 99, Resources())
        submission = Submission(
            array,
            self._script(request),
            dict.fromkeys(request.indices or (0,), 1),
            name,
            waits if is_known else (),
            (excluded,) if excluded else (),
            now + request.begin if request.begin else None,
            request.throttle or None,
        )
        before = dict(self.cluster.jobs)
        try:
            job = self.scheduler.submit(submission)
        except (TransportError, SchedulerError):
            fresh = [one for one in self.cluster.jobs.values() if before.get(one.id) is not one]
            self._check_found(name, fresh[0].id if fresh else None)
            if not fresh:
                return
            job = fresh[0].id
        known = self.cluster.jobs[job]
        self._took(known, work)
        if all(one.job.id != job for one in self.ours):
            tied = upstream if is_known and after is not None and after[1] == "element" else None
            self.ours.append(Tracked(known, name, now, tied))

    def submit_other(self, request: Request, work: Work) -> None:
        """Let somebody else submit a job."""
        order = Order(replace(request, begin=0.0), Path("other.sh"), self.folder, user="lee", number=1002)
        try:
            self._took(self.cluster.submit(order), work)
        except Refused:
            return

    def cancel(self, place: int, numbers: Sequence[int] | None) -> None:
        """Cancel some of a job of ours through the adapter, which is noted down before."""
        if self.ours:
            one = self.ours[place % len(self.ours)]
            if self.cluster.find(one.job.id) is one.job:
                one.cancelled |= set(one.job.indices if numbers is None else numbers)
                try:
                    self.scheduler.cancel(one.job.id, numbers)
                except SchedulerError:
                    return

    def cancel_by_other(self, place: int) -> None:
        """Let an administrator cancel a job."""
        for job in self._pick(place):
            self.cluster.cancel(job, by=0)

    def requeue(self, place: int, number: int) -> None:
        """Put an index back, whatever it does."""
        for index in self._indices(place, number):
            was_over = index.is_over
            if self.cluster.requeue(index) and was_over:
                self.again[index.job.order, index.number] += 1

    def strike(self, what: str, place: int, number: int) -> None:
        """Let something befall an index."""
        act: dict[str, Callable[[Index], object]] = {
            "kill": self.cluster.kill_job,
            "oom": lambda one: self.cluster.kill_job(one, is_oom=True),
            "preempt": self.cluster.preempt,
        }
        for index in self._indices(place, number):
            act[what](index)

    def hold(self, place: int, is_held: bool) -> None:
        """Hold a job, or let it go."""
        for job in self._pick(place):
            self.cluster.release(job, is_held)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and look whether somebody waits in vain."""
        self.cluster.run(seconds=seconds)
        self._check_books()
        self._check_first()

    # What must hold.

    def look(self) -> None:
        """Ask all witnesses about what is not concluded, and judge; nothing wrong may be concluded."""
        wanted = {one.job.id: set(one.job.indices) - set(one.concluded) for one in self.ours}
        wanted = {job: indices for job, indices in wanted.items() if indices}
        names = {one.job.id: one.name for one in self.ours if one.job.id in wanted}
        testimony = self.scheduler.testify(names, wanted)
        now = self.cluster.clock()
        self.observed.hear(testimony, now)
        if CONTROLLER in testimony.answers:
            missed = {
                (one.job.id, number)
                for one in self.ours
                for number in wanted.get(one.job.id, ())
                if self._is_missed(one, number, ACCOUNTING in testimony.answers)
            }
            self.observed.miss(wanted, missed, now)
        for one in self.ours:
            for number in wanted.get(one.job.id, ()):
                self._conclude(one, number, now)

    def break_off(self) -> None:
        """Let the next answer break off."""
        self.broken += 1
        self.cluster.faults.break_off()

    def finish(self) -> None:
        """Let all come to its end: each index ends in one word, or waits for what can never be."""
        cluster = self.cluster
        for name in cluster.nodes:
            cluster.revive_node(name)
            cluster.drain_node(name, "")
        for job in self.all:
            cluster.release(job)
        cluster.run()
        self._check_books()
        for index in self._every():
            if index.word == WAITS:
                assert cluster.queue.why(index) == HOPELESS, f"it waits for {cluster.queue.why(index)} for ever"
            else:
                assert index.is_over
                place = index.job.order, index.number
                assert self.ends[place] == self.again[place] + (index.node is not None)
        assert not any(user.running or user.cores for user in cluster.users.by_name.values())
        cluster.clock.sleep(100.0)  # by then all witnesses answer; what still breaks off may cost a look each
        for _ in range(4 + self.broken):
            cluster.clock.sleep(20.0)
            self.look()
        for one in self.ours:
            assert set(one.concluded) == set(one.job.indices), (one.name, one.states)

    def _conclude(self, one: Tracked, number: int, now: float) -> None:
        index = one.job.indices[number]
        verdict = judge(self._evidence(one, number), now)
        one.states[number] = verdict.state
        if verdict.is_settled:
            right = self._truth(one, index)
            assert verdict.state in right, f"{one.name}[{number}] is {verdict.state} ({verdict.reason}), not {right}"
            one.concluded[number] = verdict.state

    def _truth(self, one: Tracked, index: Index) -> set[State]:
        """What may be concluded of an index for good."""
        place = index.job.order, index.number
        record = self.body.records.get(place)
        found: set[State] = set()
        for word in self.truths.get(place, set()) | ({index.word} if index.is_over else set()):
            found.add(State(word))
        if record is not None and record.state is State.COMPLETED:
            found.add(State.COMPLETED)
        elif State.COMPLETED in found:
            found = (found - {State.COMPLETED}) | {State.UNKNOWN}
        if index.has_vanished and index.number not in one.cancelled:
            found.add(State.UNKNOWN)  # it was cancelled by others before it started, and left no trace
        if index.reason == HOPELESS:
            found.add(State.UPSTREAM_FAILED)
        return found

    def _evidence(self, one: Tracked, number: int) -> Evidence:
        observed = self.observed
        controller = observed.witnesses.get(CONTROLLER)
        upstream = one.upstream.concluded.get(number) if one.upstream else None
        return Evidence(
            record=self.body.records.get((one.job.order, number)),
            controller=observed.said(CONTROLLER, one.job.id, number),
            accounting=observed.said(ACCOUNTING, one.job.id, number),
            heard=controller.time if controller else None,
            is_blind=controller is None or controller.silent_since is not None,
            was_asked=controller is not None and (controller.time or 0.0) >= one.since,
            missed_since=observed.missed.get(one.job.id, {}).get(number),
            is_cancelled=number in one.cancelled,
            upstream="" if upstream in (None, State.COMPLETED) else f"a[{number}] is {upstream}",
            is_tied=one.upstream is not None,
        )

    def _is_missed(self, one: Tracked, number: int, knows_past: bool) -> bool:
        """Whether an index has left the queue without a record that tells all; as `track` has it."""
        said = self.observed.said(CONTROLLER, one.job.id, number)
        before = self.observed.missed.get(one.job.id, {})
        is_gone = (knows_past or number in before) if said is None else said.state.is_final
        record = self.body.records.get((one.job.order, number))
        return is_gone and not (record is not None and tells_all(record))

    def _hear(self, what: str, index: Index) -> None:
        place = index.job.order, index.number
        if what == "started":
            self._check_start(index)
        elif what == "ended":
            self.ends[place] += 1
            self.truths.setdefault(place, set()).add(index.word)

    def _check_start(self, index: Index) -> None:
        """Nothing starts before its time, out of its order, beyond a limit, or where it must not."""
        cluster, job, node = self.cluster, index.job, index.node
        now, request = cluster.clock(), job.request
        assert node is not None
        assert node.takes_jobs
        assert now >= request.begin
        assert now >= index.eligible
        assert not request.is_held
        assert not request.throttle or job.running <= request.throttle
        assert node.name not in request.excluded
        assert set(request.features) <= set(node.features)
        assert node.is_of(cluster.partition_of(job))
        most = cluster.rules.running_indices
        assert most is None or cluster.users.by_name[job.user].running <= most
        end = now + cluster.seconds_of(job)
        for one in cluster.reservations.by_name.values():
            assert not one.holds(node) or end <= one.start or now >= one.end or request.reservation == one.name
        for one in job.dependency.conditions:
            other = job.tied[one.job]
            assert other is not None
            if one.kind == "aftercorr":
                twin = other.indices.get(index.number)
                ended = [twin] if twin is not None else list(other.indices.values())
                assert all("COMPLETED" in self.truths.get((two.job.order, two.number), ()) for two in ended)
            else:
                assert all(two.is_over or self.again[two.job.order, two.number] for two in other.indices.values())
        self._check_node(node)

    def _check_node(self, node: Node) -> None:
        """Nothing is given out twice."""
        held = [node.held_by(one) for one in node.running.values()]
        assert node.free_cores == node.cores - sum(one.cores for one in held) >= 0
        assert node.free_memory == node.memory - sum(one.memory for one in held) >= 0
        assert node.free_gpus == node.gpus - sum(one.gpus for one in held) >= 0

    def _check_books(self) -> None:
        """All counts are those of the indices."""
        running = [index for index in self._every() if index.word == RUNS]
        assert sum(len(node.running) for node in self.cluster.nodes.values()) == len(running)
        for node in self.cluster.nodes.values():
            self._check_node(node)
        for job in self.all:
            indices = job.indices.values()
            assert job.running == sum(one.word == RUNS for one in indices)
            assert job.open == sum(not one.is_over for one in indices)
            assert set(job.waiting) == {one.number for one in indices if one.word == WAITS}
            assert job.failed == sum(one.is_over and one.word != "COMPLETED" for one in indices)
        assert self.cluster.queued() == sum(job.open for job in self.all)

    def _check_first(self) -> None:
        """Nobody waits who comes first and for whom there is room."""
        cluster, now = self.cluster, self.cluster.clock()
        for job in cluster.queue.startable():
            request = job.request
            if cluster.queue.why(job.indices[job.ready[0]]) in ("JobArrayTaskLimit", "QOSMaxJobsPerUserLimit"):
                continue
            for node in cluster.nodes.values():
                is_meant = node.is_of(cluster.partition_of(job)) and set(request.features) <= set(node.features)
                if is_meant and node.name not in request.excluded and node.has_room(request):
                    end = now + cluster.seconds_of(job)
                    assert cluster.reservations.in_the_way(node, now, end, request.reservation) is not None
            return

    def _script(self, request: Request) -> Path:
        lines = [
            f"#SBATCH --cpus-per-task={request.cores}",
            f"#SBATCH --time=00:{int(request.seconds // 60):02d}:00",
            f"#SBATCH --mem={request.memory >> 20}M",
            f"#SBATCH --nice={request.nice}",
            "#SBATCH --kill-on-invalid-dep=yes",
            *([f"#SBATCH --gres=gpu:{request.gpus}"] if request.gpus else []),
            *([f"#SBATCH --partition={request.partition}"] if request.partition else []),
            *([f"#SBATCH --constraint={'&'.join(request.features)}"] if request.features else []),
            *(["#SBATCH --no-requeue"] if not request.is_requeued else []),
        ]
        text = "\n".join(["#!/bin/bash", *lines, "true", ""])
        path = self.folder / f"{abs(hash(text))}.sh"
        if not path.exists():
            path.write_text(text)
        return path

    def _check_found(self, name: str, job: str | None) -> None:
        """Under a name the job is found that was taken, and nothing where none was; or nobody answers."""
        try:
            assert self.scheduler.find({name: self.cluster.clock()}).get(name) == job
        except SchedulerError:
            return

    def _took(self, job: Job, work: Work) -> None:
        self.all.append(job)
        self.body.works[job.order] = work

    def _pick(self, place: int) -> list[Job]:
        return [self.all[place % len(self.all)]] if self.all else []

    def _indices(self, place: int, number: int) -> Iterator[Index]:
        for job in self._pick(place):
            yield list(job.indices.values())[number % len(job.indices)]

    def _every(self) -> Iterator[Index]:
        for job in self.all:
            yield from job.indices.values()
