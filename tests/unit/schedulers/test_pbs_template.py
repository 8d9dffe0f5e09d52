"""What the template of PBS makes of a request."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sciflow import assets
from sciflow.errors import TemplateError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.model.site_options import joined
from sciflow.planning.render import ScriptRenderer


@pytest.fixture(autouse=True)
def nobodys_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody's own templates take part."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def script(elements: int = 4, resources: Resources | None = None, **profile: Any) -> str:
    """Render an array job's script."""
    made = ClusterProfile.model_validate({"name": "site", "scheduler": "pbs", **profile})
    array = ArrayJob("train.0", "train", elements, resources or Resources(), options=joined(made))
    return ScriptRenderer(made, "/usr/bin/python3", partial(assets.read_template, Path(__file__).parent))(array)


def directives(text: str, option: str) -> list[str]:
    """Return what stands behind an option."""
    return [line.split(maxsplit=2)[2] for line in text.splitlines() if line.startswith(f"#PBS {option} ")]


@pytest.mark.parametrize(
    ("tasks", "nodes", "select"),
    [
        (8, 2, "2:ncpus=4:mpiprocs=4:ompthreads=1"),
        (7, 2, "1:ncpus=4:mpiprocs=4:ompthreads=1+1:ncpus=3:mpiprocs=3:ompthreads=1"),
        (7, 3, "1:ncpus=3:mpiprocs=3:ompthreads=1+2:ncpus=2:mpiprocs=2:ompthreads=1"),
        (5, 1, "1:ncpus=5:mpiprocs=5:ompthreads=1"),
        (2, 3, "3:ncpus=1:mpiprocs=1:ompthreads=1"),
        (0, 3, "3:ncpus=1"),
    ],
)
def test_as_many_mpi_tasks_start_as_are_asked_for(tasks: int, nodes: int, select: str) -> None:
    """PBS starts so many in each chunk, so these may differ by one."""
    text = script(resources=Resources(nodes=nodes, mpi_tasks=tasks))
    assert directives(text, "-l") == [f"select={select}", *(["place=scatter"] if nodes > 1 else [])]


def test_nodes_are_different_ones() -> None:
    """Else two chunks may share one; unless the site's own words are others."""
    text = script(resources=Resources(nodes=2, memory_bytes=4 * GIB), directives=["-l place=scatter:excl"])
    assert directives(text, "-l") == ["select=2:ncpus=1:mem=2048mb", "place=scatter:excl"]


def test_one_index_is_an_array_job_as_well() -> None:
    """By a step that leaves one: what waits for a plain job that is deleted before it starts waits for ever."""
    assert directives(script(1), "-J") == ["0-1:2"]
    assert directives(script(2), "-J") == ["0-1"]
    assert directives(script(1000, limits={"running_indices": 20}), "-J") == ["0-999%20"]


def test_what_may_not_be_started_again_is_refused() -> None:
    """PBS takes no such array job."""
    with pytest.raises(TemplateError, match="profile `site` says `requeue: false`"):
        script(requeue=False)


def test_others_go_first() -> None:
    """By so much as PBS knows; the site's own words are others."""
    assert directives(script(4, manners={"nice": 100}), "-p") == ["-100"]
    assert directives(script(4, manners={"nice": 5000}), "-p") == ["-1024"]
    assert directives(script(4, manners={"nice": 5}, directives=["-p 3"]), "-p") == ["3"]
    assert directives(script(4), "-p") == []
