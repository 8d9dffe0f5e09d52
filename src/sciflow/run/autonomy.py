"""A run that is tended by itself: the beginning, and the end."""

from __future__ import annotations

import os

from sciflow.model.profile import ClusterProfile
from sciflow.model.request import ResourceRequest
from sciflow.model.site_options import joined
from sciflow.planning.caps import longest_walltime
from sciflow.run.terms import Connect
from sciflow.run.track import observe
from sciflow.run.variants import renderer_of
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, write_whole
from sciflow.store.lock import hold
from sciflow.store.submissions import AUTONOMOUS, TEND
from sciflow_shim import files

RESERVED = 2  # jobs that tend a run: one that runs, and the next; as many again where some wake by the clock
_NEEDED = ResourceRequest(cpu_cores=1, memory_gb=2, max_runtime="01:00:00")


def is_autonomous(run: RunDirectory) -> bool:
    """Whether a run is to be tended by itself."""
    said = [event["is_on"] for event in Journal(run.journal).events() if event["event"] == AUTONOMOUS]
    return bool(said) and said[-1]


def begin_tending(run: RunDirectory, profile: ClusterProfile, python: str) -> None:
    """Write the script of the job that tends a run, and note that there is to be one.

    Parameters
    ----------
    run, profile
        The run, and the site.
    python
        The interpreter that has sciflow, on the nodes as well.

    Raises
    ------
    TemplateError
        Where there is no template for it, or it is wrong.
    """
    if is_autonomous(run):
        return
    request = _NEEDED.merged(profile.tend)
    options = joined(profile, profile.tend)
    resources = request.resolve({}, TEND)
    longest = longest_walltime(options, profile)
    if longest is not None and resources.runtime_seconds > longest:
        resources = resources._replace(runtime_seconds=longest)
    text = renderer_of(run).errand(options=options, request=resources, interpreter=python)
    script = run / files.script(TEND)
    write_whole(script, text)
    script.chmod(0o755)
    Journal(run.journal).append([{"event": AUTONOMOUS, "is_on": True}])


def end_tending(run: RunDirectory, connect: Connect) -> None:
    """End the tending of a run, and cancel the job that waits for it."""
    if not is_autonomous(run):
        return
    with hold(run.lock) as lock:
        scheduler, journal = connect((lock,)), Journal(run.journal)
        journal.commit({"event": AUTONOMOUS, "is_on": False})
        status = observe(run)
        submissions = status.submissions  # those before the last ones have ended
        for one in (*submissions.errands()[-RESERVED:], *submissions.errands(is_timed=True)[-RESERVED:]):
            if one.job and one.job != own_job():
                scheduler.cancel(one.job)


def own_job() -> str:
    """The id of the job in which this process runs."""
    return os.environ.get("SLURM_JOB_ID") or os.environ.get("PBS_JOBID", "")
