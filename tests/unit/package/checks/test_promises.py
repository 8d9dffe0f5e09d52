import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import PackageError
from sciflow.package.bags.bag import make_bag
from sciflow.package.checks.promises import check_facts, check_promises, read_facts
from unit.package.bags import WHEN
from unit.package.checks.conftest import edit


def told(payload: Path) -> dict[str, tuple[str, str]]:
    """File → kind and reason, of all that is wrong in a bag that was made anew."""
    make_bag(payload, {"External-Identifier": "spins_v1"}, WHEN)
    problems = [*check_facts(payload)[1], *check_promises(payload, read_facts(payload / "data"))[1]]
    return {problem.path.removeprefix("data/"): (problem.kind, problem.why) for problem in problems}


def test_a_package_holds_what_it_promises(payload: Path):
    """All that its `package.json` lists, and nothing else; verdicts come later."""
    (payload / "verdicts").mkdir()
    (payload / "verdicts/1.json").write_text("{}")
    assert told(payload) == {}


def test_files_that_are_other_ones_than_those_listed_are_told(payload: Path):
    """Those that nothing else speaks of: the shim, the source of a function, scripts, the wheel; and added ones."""
    changed = [
        "run/shim/sciflow_shim/array.py",
        "run/code/analyse.py",
        "run/scripts/analyse.0.sh",
        "reproduce.sh",
        "report.html",
    ]
    for name in changed:
        with (payload / name).open("ab") as file:
            file.write(b"\n")
    (payload / "project/sitecustomize.py").write_text("x = 1")
    (payload / "run/shim/sciflow_shim/usage.py").unlink()
    found = told(payload)
    assert {name: found.pop(name)[0] for name in changed} == dict.fromkeys(changed, "changed")
    assert found == {
        "project/sitecustomize.py": ("added", "`package.json` does not list it"),
        "run/shim/sciflow_shim/usage.py": ("missing", "`package.json` lists it"),
    }


def test_what_every_package_has_must_be_there_whatever_is_listed(payload: Path):
    """Tables, array jobs, tasks, the workflow that is run again, the lock, and the wheel."""
    gone = [
        "README.md",
        "report.html",
        "reproduce.sh",
        "results/combinations.csv",
        "run/arrays/analyse.0.jsonl",
        "run/scripts/simulate.0.sh",
        "run/code/analyse.json",
        "run/results.h5",
        "run/workflow.json",
        "project/packaged-workflow.yaml",
        "environment/requirements.txt",
    ]
    for name in gone:
        (payload / name).unlink()
    shutil.rmtree(payload / "environment/wheels")
    path = payload / "package.json"
    document = json.loads(path.read_bytes())
    document["files"] = [one for one in document["files"] if (payload / one["path"]).exists()]
    path.write_text(json.dumps(document))
    assert {name for name, (kind, _) in told(payload).items() if kind == "missing"} == {*gone, "environment/wheels"}


def with_facts(**facts: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Say other things."""
    return lambda document: {**document, **facts}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda _: {"format": 1}, "`name`: Field required"),
        (with_facts(format="1"), "`format`"),
        (with_facts(state={"complete": "yes", "counts": [1]}), "`state.complete`"),
        (with_facts(name="../../evil"), "`name`"),
        (with_facts(name="\ud800"), "`name`"),
        (with_facts(contents={"a": ["/etc/passwd"]}), "'/etc/passwd' leaves the package"),
        (with_facts(contents={"a": 3}), "`contents.a`"),
        (with_facts(files=[{"path": "../../etc/passwd", "sha256": "0" * 64}]), "leaves the package"),
        (with_facts(left_out=[{"path": "../x"}]), "leaves the package"),
        (with_facts(left_out=[1]), "`left_out.0`"),
        (with_facts(import_path=["/opt"]), "'/opt' leaves the package"),
        (with_facts(redacted={"../x": 1}), "leaves the package"),
        (with_facts(reproducible=1), "`reproducible`"),
    ],
)
def test_what_package_json_has_to_say_is_checked(payload: Path, change: Any, why: str):
    """Each value that is missing, of another type or leads elsewhere is named, and no reader gets to see it."""
    path = payload / "package.json"
    document = change(json.loads(path.read_bytes()))
    path.write_text(json.dumps(document))
    kind, text = told(payload)["package.json"]
    assert kind == "unreadable"
    assert why in text
    name = why.strip("`").partition("`")[0].partition(".")[0]
    assert name not in read_facts(payload / "data")


def test_a_name_that_is_not_the_bags_is_a_contradiction(payload: Path):
    """Both names are told."""
    edit(payload / "package.json", '"name": "spins_v1"', '"name": "spins_v2"')
    why = "it names the package `spins_v2`, and `bag-info.txt` names it `spins_v1`"
    assert told(payload)["package.json"] == ("contradiction", why)


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000, b"3"])
def test_a_package_json_that_is_none_is_unreadable(payload: Path, data: bytes):
    """Whatever stands there."""
    (payload / "package.json").write_bytes(data)
    assert told(payload)["package.json"] == ("unreadable", "it holds no JSON object")


def test_a_newer_format_is_an_error_with_both_numbers(tmp_path: Path):
    """It says what can be done; more keys than are known are no problem."""
    (tmp_path / "package.json").write_text('{"format": 2}')
    with pytest.raises(PackageError, match="has format 2, and this sciflow knows formats up to 1") as error:
        read_facts(tmp_path)
    assert "newer sciflow" in error.value.hint


def test_a_package_that_says_more_is_well(payload: Path):
    """Later versions say more."""
    edit(payload / "package.json", '"format": 1', '"format": 1, "more": {"x": 1}')
    assert told(payload) == {}


def test_how_it_is_run_again_must_go_with_what_is_there(payload: Path):
    """Whether it can be, where modules are found, and which functions are called."""
    path = payload / "package.json"
    document = json.loads(path.read_bytes())
    document["functions"]["analyse"]["qualname"] = "other"
    path.write_text(json.dumps({**document, "reproducible": False, "import_path": ["run/shim", "project/none"]}))
    kind, why = told(payload)["package.json"]
    assert kind == "contradiction"
    for part in ("`reproducible` is false", "has `run/shim`", "has `project/none`", "for task `analyse`"):
        assert part in why
