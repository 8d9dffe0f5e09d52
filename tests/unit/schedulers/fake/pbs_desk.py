"""Somebody in front of a virtual PBS, on which each job does what it is told beforehand."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.pbs.face import PbsFace
from sciflow.schedulers.fake.pbs.site import pbs_rules
from sciflow.schedulers.fake.scheduler import scheduler_of
from sciflow.schedulers.fake.transport import VirtualTransport
from sciflow.transport.base import Answer


class Course(NamedTuple):
    """How long an index runs, how it ends, and how many seconds after SIGTERM; None for not at all by that."""

    seconds: float = 1000.0
    code: int = 0
    is_oom: bool = False
    stops_after: float | None = 1.0


class Told:
    """Runs nothing: what an index does stands in `courses`, by the name of its job and its number."""

    def __init__(self) -> None:
        self.courses: dict[tuple[str, int], Course] = {}

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start an index."""
        course = self._course(index)
        self._end_after(cluster, index, course.seconds, course)

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Let it end, if it ends by that."""
        course = self._course(index)
        if course.stops_after is not None:
            self._end_after(cluster, index, course.stops_after, course._replace(code=143))

    def kill(self, cluster: VirtualCluster, index: Index) -> None:
        """Nothing is left that could tell anything."""

    def wait(self, cluster: VirtualCluster) -> bool:
        """Nothing of it is real."""
        return False

    def _course(self, index: Index) -> Course:
        return self.courses.get((index.job.name, index.number), Course())

    def _end_after(self, cluster: VirtualCluster, index: Index, seconds: float, course: Course) -> None:
        run = index.run_of

        def end() -> None:
            if cluster.is_current(index, run):
                cluster.exited(index, course.code, is_oom=course.is_oom)

        cluster.clock.after(seconds, end)


class PbsDesk:
    """Somebody who types commands of PBS, on a node with 32 cores and 64 GB."""

    def __init__(self, folder: Path, has_history: bool = True, face: PbsFace | None = None, **rules: Any) -> None:
        self.folder = folder
        self.body = Told()
        (folder / "s.sh").write_text("#!/bin/bash\necho\n")
        clock = VirtualClock(1_795_393_800.0)
        nodes = make_nodes(1, 32, 64, gpus=8)
        self.cluster = VirtualCluster(nodes, self.body, face or PbsFace(), clock, pbs_rules(has_history, **rules))
        self.transport = VirtualTransport(self.cluster)
        self.scheduler = scheduler_of(self.cluster, folder)

    def type(self, line: str, **variables: str) -> Answer:
        """Type a command."""
        return self.transport.run(shlex.split(line), self.folder, variables)

    def submit(self, options: str = "", *courses: Course, name: str = "work", command: str = "s.sh") -> str:
        """Submit a job whose indices go these courses, in order from 0; gives its id."""
        self.body.courses |= {(name, number): course for number, course in enumerate(courses)}
        answer = self.type(f"qsub -N {name} {options} {command}")
        assert answer.code == 0, answer
        return answer.out.strip()

    def jobs(self, *ids: str, options: str = "-t -x") -> dict[str, dict[str, Any]]:
        """Return what `qstat` says of jobs, by their ids; of all where none is named."""
        return json.loads(self.type(f"qstat -E {options} -f -F json {' '.join(ids)}").out).get("Jobs", {})

    def job(self, one: str) -> dict[str, Any]:
        """Return what `qstat` says of one job."""
        return self.jobs(one, options="-x")[one]

    def state(self, one: str) -> tuple[Any, ...]:
        """Return state, substate and exit status of a job or sub-job; None for no exit status."""
        facts = self.job(one)
        return facts["job_state"], facts["substate"], facts.get("Exit_status")

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.cluster.run(seconds=seconds)
