"""Settings and containers in a crate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package.crate.environment import add_environment, add_image
from sciflow.package.crate.graph import Graph
from sciflow.package.opened_run import opened_run


def _entities(folder: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What a crate has of the surroundings of a run that is made with these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    workflow = ExperimentalWorkflow("small", folder)
    workflow.add_task("add", lambda x: {"y": x + 1})
    workflow.add_parameter_space({"x": [1]})
    run = Engine(runs=folder / "runs").execute_parameter_sweep(workflow).run
    graph = Graph()
    with opened_run(run, "small") as packaged:
        add_environment(graph, packaged)
        add_image(graph, packaged)
    return {one["@id"]: one for one in json.loads(graph.write(folder).read_text(encoding="utf-8"))["@graph"]}


def test_settings_and_the_image_of_a_run_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that change what programs do, and not where and by whom it ran."""
    image = "docker://ghcr.io/lab/tools:1.2"
    variables = {"OMP_NUM_THREADS": "3", "MY_OWN": "x", "APPTAINER_CONTAINER": image}
    found = _entities(tmp_path, monkeypatch, variables)
    assert found["#environment/OMP_NUM_THREADS"]["value"] == "3"
    assert not {"#environment/HOME", "#environment/PATH", "#environment/MY_OWN"} & set(found)
    container = next(one for one in found.values() if one["@type"] == "ContainerImage")
    assert (container["registry"], container["name"], container["tag"]) == ("ghcr.io", "lab/tools", "1.2")
    assert container["additionalType"]["@id"].endswith("#DockerImage")


def test_an_image_that_is_a_file_of_some_cluster_is_a_setting_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no registry, which an image in a crate has to have."""
    found = _entities(tmp_path, monkeypatch, {"SINGULARITY_CONTAINER": "/apps/images/tools.sif"})
    assert found["#environment/SINGULARITY_CONTAINER"]["value"] == "/apps/images/tools.sif"
    assert [one for one in found.values() if one["@type"] == "ContainerImage"] == []
