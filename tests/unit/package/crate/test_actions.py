"""What was done, in a crate: with what it was done, and how it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.package import layout
from sciflow.package.contents import Contents, LeftOut
from sciflow.package.crate.write import write_crate
from sciflow.package.gathered.people import People
from sciflow.package.opened_run import opened_run
from sciflow.store.layout import RunDirectory

Entities = dict[str, dict[str, Any]]
STATUS = "http://schema.org/{}ActionStatus"


def _entities(run: Path, folder: Path, contents: Contents | None = None, *files: str) -> Entities:
    """The crate of a run, with some files in its payload."""
    for path in (f"{layout.RUN}/manifest.json", layout.README, *files):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("{}")
    with opened_run(RunDirectory(run), "small") as packaged:
        path = write_crate(packaged, contents or Contents(), folder, People(user="ada"))
    return {one["@id"]: one for one in json.loads(path.read_text(encoding="utf-8"))["@graph"]}


def test_a_failure_has_its_error_and_its_step_and_the_run_tell_how_many_there_are(
    finished: Path, tmp_path: Path
) -> None:
    """`square[2]` has failed, and `half[2]` looked for its results, found none, and ended."""
    found = _entities(finished, tmp_path / "data")
    failed = found["#action/square.0/2"]
    assert failed["actionStatus"] == STATUS.format("Failed")
    assert failed["error"].startswith("FAILED: ended with exit code 1")
    held = found["#action/half.0/2"]
    assert (held["actionStatus"], held["error"]) == (STATUS.format("Failed"), "UPSTREAM_FAILED: square.0[2] is FAILED")
    assert "error" not in found["#action/square.0/1"]
    assert found["#step/half"]["actionStatus"] == STATUS.format("Failed")
    assert found["#step/half"]["description"].startswith("3 COMPLETED, 1 UPSTREAM_FAILED")
    assert found[f"#run/{finished.name}"]["error"] == "1 FAILED, 1 UPSTREAM_FAILED"
    assert found["#orchestration"]["actionStatus"] == STATUS.format("Failed")


def test_a_file_that_a_task_read_is_an_object_of_its_action(finished: Path, tmp_path: Path) -> None:
    """The file where it is in the package, or what is said of it where it was left out."""
    manifest = json.loads((finished / "manifest.json").read_text())
    manifest["tasks"]["square"]["inputs"] = ["data/a b.txt", "huge.bin"]
    (finished / "manifest.json").write_text(json.dumps(manifest))
    contents = Contents(left_out=[LeftOut(f"{layout.PROJECT}/huge.bin", "/scratch/huge.bin", "it is large", 10**9)])
    found = _entities(finished, tmp_path / "data", contents, f"{layout.PROJECT}/data/a b.txt")
    objects = [one["@id"] for one in found["#action/square.0/0"]["object"]]
    assert objects[1:] == ["project/data/a%20b.txt", "#left-out/project%2Fhuge.bin"]
    assert found["project/data/a%20b.txt"]["exampleOfWork"] == {"@id": "#task/square/files"}
    assert {"@id": "#task/square/files"} in found["#task/square"]["input"]


@pytest.mark.parametrize("name", [layout.WORKFLOW, f"{layout.RUN}/manifest.json"])
def test_the_main_entity_is_the_workflow_or_what_was_asked(name: str, finished: Path, tmp_path: Path) -> None:
    """Where no workflow document could be made, the manifest says what was run."""
    found = _entities(finished, tmp_path / "data", None, name)
    assert found["./"]["mainEntity"] == {"@id": name}
    assert "ComputationalWorkflow" in found[name]["@type"]
