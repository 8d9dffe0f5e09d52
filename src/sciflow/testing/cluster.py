"""A cluster that is not there, for tests."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import yaml

from sciflow.errors import SciflowError
from sciflow.model.profile import ClusterProfile, Limits
from sciflow.model.profile import Partition as ProfilePartition
from sciflow.schedulers.fake import values
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.faces import FACES, RULES
from sciflow.schedulers.fake.faults import Chances, Faults
from sciflow.schedulers.fake.flow import PACES, Flow, Pace
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.nodes import Node, make_nodes
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.scheduler import in_place
from sciflow.schedulers.fake.server import CommandServer
from sciflow.schedulers.fake.simulated import Program
from sciflow.testing.checked import checked_nodes, checked_partitions, checked_program
from sciflow.testing.failures import WAYS, How, Strike
from sciflow.testing.job import FakeJob
from sciflow.testing.pretended import PretendedBody
from sciflow.testing.virtual_time import MovableClock

_GIB = 1024**3


class FakeCluster:
    """A cluster whose scheduler's commands are there, and nothing else of it.

    Parameters
    ----------
    scheduler
        ``slurm`` or ``pbs``.
    folder
        Where its profile is written.
    clock
        Its time.

    Attributes
    ----------
    commands
        The folder of its commands.
    cluster
        What it is made of; `turn` is held by who looks into it.
    """

    def __init__(self, scheduler: str, folder: Path, clock: MovableClock | None = None) -> None:
        self.scheduler = scheduler
        self.clock = clock or MovableClock()
        self._folder = folder
        self._strikes: list[Strike] = []
        self._program: Program | None = None
        self._settings: dict[str, Any] = {}
        self._in_place = ExitStack()
        self.flow = self._flow()
        self._server = CommandServer(self.flow)
        self.commands = self._server.commands

    def setup(
        self,
        *,
        nodes: int | Sequence[Node] = 2,
        cores: int = 4,
        memory_gb: float = 8.0,
        gpus: int = 0,
        partitions: Sequence[Partition] = (),
        pace: Pace = "still",
        seed: int = 0,
        **rules: Any,
    ) -> None:
        """Say what the cluster is like, before anything is submitted.

        Parameters
        ----------
        nodes
            How many nodes there are, or all of them one by one.
        cores, memory_gb, gpus
            Of each node.
        partitions
            Its partitions; by default one, `main`.
        pace
            How time passes: ``still`` until somebody moves it, ``fast`` from one event to the next without being asked,
            or ``real``. While a job script really runs, it is real time at any pace.
        seed
            Of what is left to chance.
        **rules
            How the site is set up besides; see `sciflow.schedulers.fake.rules.Rules`.

        Raises
        ------
        SciflowError
            Where something was submitted already, or for what no cluster is like.
        """
        values.one_of("pace", pace, PACES)
        values.whole("seed", seed)
        made = checked_nodes(nodes, cores, memory_gb, gpus)
        more = {"partitions": checked_partitions(partitions, made)} if partitions else {}
        values.settings(Rules, rules)
        self._settings = {
            "nodes": made,
            "pace": pace,
            "seed": seed,
            "rules": RULES[self.scheduler](**{**rules, **more}),
        }
        self._begin_anew()

    def pretend(self, program: Program) -> None:
        """Run nothing: let a function say how long each array index runs, and how it ends.

        Array jobs of sciflow leave the records that their shim would. What tends a run does so, in this process.

        Parameters
        ----------
        program
            What a program knows when it starts → how it goes on.

        Raises
        ------
        SciflowError
            Where something was submitted already, or for what is no function.
        """
        self._program = checked_program(program)
        self._begin_anew()

    @property
    def cluster(self) -> VirtualCluster:
        """The virtual cluster."""
        return self.flow.cluster

    @property
    def faults(self) -> Faults:
        """What goes wrong between the cluster and its users: silence, lost replies, refusals."""
        return self.cluster.faults

    @property
    def profile(self) -> str:
        """The path of a cluster profile for it."""
        path = self._folder / f"fake-{self.scheduler}.yaml"
        document = self._profile(path.stem).model_dump(mode="json", exclude_defaults=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return str(path)

    @property
    def jobs(self) -> list[FakeJob]:
        """All jobs, in the order in which they were submitted."""
        with self.flow.turn:
            return [FakeJob.of(self.cluster, job) for job in self.cluster.jobs.values()]

    def job(self, name: str) -> FakeJob:
        """The latest job whose name fits a pattern such as ``solve*``.

        Raises
        ------
        SciflowError
            Where there is none.
        """
        jobs = self.jobs
        found = [one for one in jobs if fnmatch.fnmatchcase(one.name, name)]
        if not found:
            names = ", ".join(f"`{one.name}`" for one in jobs)
            raise SciflowError(
                f"no job `{name}` was submitted", hint=f"there are {names}" if names else "there are none"
            )
        return found[-1]

    @property
    def submitted(self) -> list[str]:
        """The calls by which jobs were submitted, as one would type them."""
        return [job.call for job in self.jobs]

    def advance(self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0, days: float = 0.0) -> None:
        """Let time pass; see `MovableClock.advance`."""
        self.clock.advance(seconds, minutes=minutes, hours=hours, days=days)

    def run_until_idle(self, seconds: float = 300.0) -> None:
        """Let time pass until all jobs have ended, or nothing will happen any more; in so much real time at most."""
        values.number("seconds", seconds)
        self.flow.run_until_idle(seconds)

    def fail(self, job: str, index: int | None = None, how: How = "killed", after: float = 0.0, times: int = 1) -> None:
        """Let what starts next end badly.

        Parameters
        ----------
        job
            The name of the job, or a pattern such as ``solve*``.
        index
            The index; None for any.
        how
            All its processes are killed; its script ends with code 1; it is killed for its memory; its time is up; its
            node dies; somebody more important takes its node.
        after
            How many seconds after its start.
        times
            How many starts.

        Raises
        ------
        SciflowError
            For a way to fail that there is not, and for what is no index or no time.
        """
        values.one_of("how", how, get_args(How))
        if index is not None:
            values.whole("index", index)
        values.number("after", after)
        values.whole("times", times, 1)
        self._strikes.append(Strike(job, index, how, after, times))

    def let_loose(self, seed: int = 0, **chances: float) -> None:
        """Let things go wrong by chance, and the same things for the same seed.

        Parameters
        ----------
        seed
            Of the chance.
        **chances
            How often what happens, such as ``node_dies=1.0`` a day; see `Chances`.

        Raises
        ------
        SciflowError
            For what never goes wrong, or cannot so often.
        """
        values.whole("seed", seed)
        values.settings(Chances, chances)
        with self.flow.changing():
            self.faults.let_loose(self.cluster, Chances(**chances), seed)  # type: ignore[arg-type]

    def kill_node(self, name: str) -> None:
        """Let a node die, with all that runs there."""
        values.one_of("name", name, self.cluster.nodes)
        with self.flow.changing():
            self.cluster.kill_node(name)

    def revive_node(self, name: str) -> None:
        """Let a node be there again."""
        values.one_of("name", name, self.cluster.nodes)
        with self.flow.changing():
            self.cluster.revive_node(name)

    def close(self) -> None:
        """Kill what runs, and leave nothing behind.

        Raises
        ------
        SciflowError
            Where the cluster itself has failed to answer a command.
        """
        self._in_place.close()
        self.clock.move = None
        self._server.close()
        if self._server.errors:
            raise SciflowError("the virtual cluster itself has failed to answer") from self._server.errors[0]

    def _begin_anew(self) -> None:
        if self.cluster.jobs:
            raise SciflowError("what the cluster is like is said before anything is submitted")
        old, self.flow = self.flow, self._flow()
        old.close()
        if isinstance(old.cluster.body, RealBody):
            old.cluster.body.close()
        self._server.serve(self.flow)

    def _flow(self) -> Flow:
        settings = self._settings
        body = (
            RealBody()
            if self._program is None
            else PretendedBody(self._program, self.clock.sleep, lambda: self.flow.turn)
        )
        cluster = VirtualCluster(
            settings.get("nodes") or make_nodes(2, 4, 8.0),
            body,
            FACES[self.scheduler],
            self.clock,
            settings.get("rules") or RULES[self.scheduler](),
            settings.get("seed", 0),
        )
        cluster.listeners.append(self._listen)
        self._in_place.close()
        self._in_place.enter_context(in_place(cluster))
        flow = Flow(cluster, settings.get("pace", "still"))
        self.clock.move = flow.advance
        return flow

    def _listen(self, what: str, index: Index) -> None:
        if what != "running":
            return
        strike = next((one for one in self._strikes if one.meets(index)), None)
        if strike is None:
            return
        strike.times -= 1
        cluster, run, end = self.cluster, index.run_of, WAYS[strike.how]
        self.clock.after(strike.after, lambda: end(cluster, index) if cluster.is_current(index, run) else None)

    def _profile(self, name: str) -> ClusterProfile:
        cluster = self.cluster
        return ClusterProfile(
            name=name,
            scheduler=self.scheduler,
            partitions=dict(self._partitions()),
            limits=Limits(highest_index=cluster.rules.highest_index, submitted_indices=cluster.rules.submitted_indices),
        )

    def _partitions(self) -> Iterator[tuple[str, ProfilePartition]]:
        for one in self.cluster.rules.partitions:
            nodes = [node for node in self.cluster.nodes.values() if node.is_of(one)]
            yield (
                one.name,
                ProfilePartition(
                    cpu_cores=max(node.cores for node in nodes),
                    memory_gb=max(node.memory for node in nodes) / _GIB,
                    gpus=max(node.gpus for node in nodes),
                    nodes=len(nodes),
                    max_runtime=f"{round(one.longest)} s",
                    default=one.is_default,
                ),
            )
