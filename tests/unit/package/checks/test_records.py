import json
import shutil
from pathlib import Path

import pytest

from sciflow.package.checks.records import check_records, check_run
from unit.package.checks.conftest import edit

RECORDS = "run/records/analyse.0/0000"


def test_records_in_their_places_are_well(payload: Path):
    """All of them are looked at, whatever their state."""
    assert check_records(payload) == (6, [])
    assert check_run(payload) == (2, [])


def test_records_that_are_of_other_places_are_told(payload: Path):
    """Swapped ones, one of another array job, and a file that is no record of an attempt at all."""
    place = payload / RECORDS
    shutil.move(place / "0.1.h5", place / "x")
    shutil.move(place / "1.1.h5", place / "0.1.h5")
    shutil.move(place / "x", place / "1.1.h5")
    shutil.copy(payload / "run/records/simulate.0/0000/0.1.h5", place / "2.1.h5")
    [environment] = (payload / "run/environments").iterdir()
    shutil.copy(environment, place / "3.1.h5")
    found = {problem.path: problem for problem in check_records(payload)[1]}
    assert found[f"data/{RECORDS}/0.1.h5"].why == "it is of index 1, and stands in the place of index 0"
    assert found[f"data/{RECORDS}/1.1.h5"].why == "it is of index 0, and stands in the place of index 1"
    assert "of array `simulate.0`, and stands in the place" in found[f"data/{RECORDS}/2.1.h5"].why
    assert found[f"data/{RECORDS}/3.1.h5"].kind == "unreadable"
    assert len(found) == 4


def test_a_byte_of_a_record_that_is_another_one_is_told(payload: Path):
    """Each record carries a seal of its own."""
    path = payload / RECORDS / "0.1.h5"
    data = path.read_bytes()
    path.write_bytes(data[:900] + bytes([data[900] ^ 1]) + data[901:])
    assert [(one.kind, one.path) for one in check_records(payload)[1]] == [("changed", f"data/{RECORDS}/0.1.h5")]


def test_parameters_that_were_not_those_of_the_record_are_told(payload: Path):
    """The line of an index against its record and against what was asked for."""
    edit(payload / "run/arrays/analyse.0.jsonl", '"size":4,"temperature":1.5', '"size":4,"temperature":1.6')
    [problem] = check_records(payload)[1]
    assert (problem.path, problem.kind) == (f"data/{RECORDS}/0.1.h5", "contradiction")
    assert '"temperature": 1.5}, and those of index 0 are {"size": 4, "temperature": 1.6}' in problem.why
    found = {one.path: one.why for one in check_run(payload)[1]}
    assert "index 0 has the parameters" in found["data/run/arrays/analyse.0.jsonl"]


def test_a_manifest_that_asks_for_something_else_is_told(payload: Path):
    """A value of a parameter, and how a task is computed."""
    path = payload / "run/manifest.json"
    document = json.loads(path.read_bytes())
    document["space"]["axes"]["temperature"][0] = 1.6
    document["tasks"]["simulate"]["recipe"] = "0" * 16
    path.write_text(json.dumps(document))
    found = {one.path: one.why for one in check_run(payload)[1]}
    assert "which `manifest.json` does not ask for" in found["data/run/arrays/analyse.0.jsonl"]
    assert "no array job of task `analyse` has the parameters" in found["data/run/manifest.json"]
    assert "its recipe is not that" in found["data/run/code/simulate.json"]
    assert "of recipe" in check_records(payload)[1][0].why


@pytest.mark.parametrize("text", ["{}", '{"arrays": 3}', '{"format": 1, "workflow": "spins", "arrays": [{}]}'])
def test_a_plan_that_is_none_is_told(payload: Path, text: str):
    """Whatever its keys are."""
    (payload / "run/plan.json").write_text(text)
    assert [(one.kind, one.path) for one in check_run(payload)[1]] == [("unreadable", "data/run/plan.json")]
    assert check_records(payload) == (0, [])
