"""A package is run again by a program of its own, and the verdict says what was put in differently."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import bagit
import pytest

from sciflow.cli.main import main
from sciflow.errors import DamagedError, PackageError
from sciflow.package.again.reproduce import content_digest, reproduce
from sciflow.package.again.verdict import Verdict
from sciflow.package.again.workplace import Workplace
from sciflow.package.bags.archive import write_archive
from sciflow.package.bags.bag import add_to_bag
from sciflow.package.build import create_package
from sciflow.testing import FakeCluster

_MODEL = """
import random
from pathlib import Path

import gauge

WEIGHTS = Path(__file__).resolve().with_name("weights.csv")
START = 7


def measure(x, seed):
    weights = [float(one) for one in WEIGHTS.read_text().split(",")]
    noise = random.Random(1000 * START + seed).random()
    return {"score": gauge.scale(weights[x]) + noise / 1000, "count": x}
"""
_WORKFLOW = """
name: gauged
parameters:
  x: [0, 1]
  seed: {repeat: [1, 2]}
tasks:
  - name: measure
    python: model:measure
    inputs: [weights.csv]
visualizations:
  scores: {type: line, x_axis: x, value: score}
"""
_FILES = {
    "model.py": _MODEL,
    "weights.csv": "1.5,2.5\n",
    "constants.json": "{}",
    "workflow.yaml": _WORKFLOW,
    "lib/gauge.py": "def scale(value):\n    return 2 * value\n",
    # A folder without a version in its name has it in this file.
    "lib/gauge.dist-info/METADATA": "Metadata-Version: 2.1\nName: gauge\nVersion: 1.0\n",
}
Again = Callable[..., Verdict]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the package of a small run with an input, seeds and a library; no test changes it."""
    folder = tmp_path_factory.mktemp("gauged")
    for name, text in _FILES.items():
        (folder / "exp" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "exp" / name).write_text(text)
    command = [sys.executable, "-m", "sciflow", "--runs", "runs", "run", "exp/workflow.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "exp" / "lib")}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    run = create_package("latest", "gauged_v1", runs=str(folder / "runs"), with_figures=False)
    package = run.export(folder / "gauged_v1")
    # A run keeps its code, and not what says which version of a library lies in a folder of its own.
    name = "lib/gauge.dist-info/METADATA"
    facts = json.loads((package / "data" / "package.json").read_bytes())
    text = _FILES[name].encode()
    facts["files"].append({"path": f"project/{name}", "sha256": hashlib.sha256(text).hexdigest()})
    add_to_bag(package, {f"project/{name}": text, **_facts(facts)})
    return package


def _facts(facts: dict[str, Any]) -> dict[str, bytes]:
    return {"package.json": json.dumps(facts).encode()}


@pytest.fixture
def again(packed: Path, tmp_path: Path) -> Again:
    """Return a function that runs the package again in a folder in which somebody has changed some of its files."""

    def made(files: dict[str, str] | None = None, **asked: Any) -> Verdict:
        place = Workplace(tmp_path / "again", content_digest(packed))
        if files:
            place.prepare(packed / "data")
        for name, text in (files or {}).items():
            (place.folder / name).write_text(text)
        return reproduce(packed, place.folder, environment="here", **asked)

    return made


def test_a_package_is_reproduced_and_the_verdict_is_added(
    packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sciflow reproduce FILE --add` gives 0 and the same best; the archive then holds the verdict, and is whole.

    The folder in which that is done is named by the file.
    """
    archive = tmp_path / "mine.tar.gz"
    monkeypatch.chdir(tmp_path)
    write_archive(shutil.copytree(packed, tmp_path / packed.name), archive, datetime(2026, 1, 1, tzinfo=timezone.utc))
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", str(archive), "--environment", "here", "--add", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert document["folder"] == str(tmp_path / "mine-reproduced")
    assert (document["verdict"], document["same_best"], document["instances"]) == (
        "reproduced",
        True,
        {"reproduced": 4},
    )
    assert document["differences"] == []
    assert [(one["there"], one["is_largest"]) for one in document["best"]] == [({"x": 1}, True), ({"x": 0}, False)]
    shutil.unpack_archive(archive, tmp_path / "unpacked")
    bagit.Bag(str(tmp_path / "unpacked" / "gauged_v1")).validate()
    [kept] = (tmp_path / "unpacked" / "gauged_v1" / "data" / "verdicts").iterdir()
    assert json.loads(kept.read_bytes())["verdict"] == "reproduced"
    crate = json.loads((tmp_path / "unpacked" / "gauged_v1" / "data" / "ro-crate-metadata.json").read_bytes())
    assert f"verdicts/{kept.name}" in {one["@id"] for one in crate["@graph"]}


def test_other_code_is_named(again: Again) -> None:
    """Another seed in the program changes numbers: the file and its task are named, and what else lies there."""
    changed = {"project/model.py": _MODEL.replace("START = 7", "START = 8"), "project/constants.json": "{ }"}
    verdict = again(changed)
    assert verdict.overall == "different"
    assert [(one.kind, one.names, one.tasks) for one in verdict.differences] == [
        ("code", ("model.py",), ("measure",)),
        ("input", ("constants.json",), ()),
    ]
    [score] = [one for one in verdict.comparison.values if one.name == "score"]
    assert score.counts == {"different": 4}
    assert score.absolute < 1e-3


def test_another_input_is_named(again: Again) -> None:
    """An input of other bytes is named with the tasks that read it, and so is another best combination."""
    verdict = again({"project/weights.csv": "2.5,1.5\n"})
    assert verdict.overall == "different"
    assert [(one.kind, one.names, one.tasks) for one in verdict.differences] == [
        ("input", ("weights.csv",), ("measure",))
    ]
    assert verdict.is_best_same is False


def test_other_seeds_are_named(again: Again) -> None:
    """Other values of a parameter that only repeats are named; what has the same ones is reproduced."""
    verdict = again({"project/packaged-workflow.yaml": _WORKFLOW.replace("[1, 2]", "[1, 3]")})
    assert verdict.overall == "partly run"
    assert verdict.comparison.instances == {"reproduced": 2, "not run": 2}
    [seed] = verdict.differences
    assert (seed.kind, seed.names) == ("seed", ("seed",))
    assert seed.what == "parameter `seed`, which only repeats: 3 came in, 2 fell out"


def test_another_version_of_a_library_is_named_also_where_results_agree(again: Again) -> None:
    """A library of another version is named with both, though all values are the same; of a sample too."""
    metadata = _FILES["lib/gauge.dist-info/METADATA"].replace("1.0", "2.0")
    files = {"project/lib/gauge.dist-info/METADATA": metadata}
    with pytest.raises(PackageError, match=r"distribution gauge: 1\.0 there, 2\.0 here") as refused:
        again(files)
    assert "--allow-different" in refused.value.hint
    verdict = again(files, sample=1, allow_different=True)
    assert verdict.overall == "reproduced"
    assert verdict.comparison.instances == {"reproduced": 1, "left out": 3}
    assert [(one.subject, one.grade, one.recorded, one.present) for one in verdict.surroundings] == [
        ("distribution gauge", "different", "1.0", "2.0")
    ]
    assert "environment (different): distribution gauge: 1.0 there, 2.0 here" in verdict.describe()


def test_a_package_is_reproduced_by_a_queue(again: Again, fake_slurm: FakeCluster) -> None:
    """By a profile with a queue the workflow is submitted and waited for; that it ran elsewhere is said."""
    fake_slurm.setup(pace="fast")
    verdict = again(profile=fake_slurm.profile, combinations=["x == 0"])
    assert verdict.overall == "reproduced"
    assert verdict.comparison.instances == {"reproduced": 2, "left out": 2}
    assert [(one.kind, one.names) for one in verdict.differences][-1] == ("place", ("profile",))
    assert len(fake_slurm.jobs) == 1


def test_code_that_cannot_run_is_a_verdict(again: Again) -> None:
    """A program that does not start is no crash: nothing was run, and the verdict says why."""
    verdict = again({"project/model.py": "import nothing_of_that_name\n"})
    assert (verdict.overall, verdict.is_reproduced) == ("not run", False)
    assert "nothing_of_that_name" in verdict.reasons[0]
    assert verdict.folder is not None
    assert json.loads((verdict.folder / "verdict.json").read_bytes())["verdict"] == "not run"


def test_a_missing_input_is_a_verdict(packed: Path, tmp_path: Path) -> None:
    """Where an input is neither in the package nor where it was, what needs it is not run, and the file is named."""
    package = shutil.copytree(packed, tmp_path / packed.name)
    facts = json.loads((package / "data" / "package.json").read_bytes())
    manifest = json.loads((package / "data" / "run" / "manifest.json").read_bytes())
    original = str(Path(manifest["directory"], "weights.csv"))
    gone = {"path": "project/big.csv", "original": original, "why": "too large", "size": 3, "sha256": "ab", "where": ""}
    add_to_bag(package, _facts({**facts, "left_out": [gone]}))
    verdict = reproduce(package, tmp_path / "again", environment="here")
    assert verdict.overall == "not run"
    assert verdict.reasons[1] == "without that, `measure` cannot run"
    assert original in verdict.reasons[0]


def test_a_damaged_package_is_refused_before_anything_is_made(packed: Path, tmp_path: Path) -> None:
    """One byte that is not as it was packed, and nothing is run: its file is named, and no folder is left."""
    package = shutil.copytree(packed, tmp_path / packed.name)
    (package / "data" / "project" / "model.py").write_text(_MODEL.replace("7", "8"))
    with pytest.raises(DamagedError, match=r"project/model\.py"):
        reproduce(package, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    # Checksums can be made anew by anybody; that the code is not what ran is seen all the same.
    add_to_bag(package, {"project/model.py": f"{_MODEL}\n".encode()})
    with pytest.raises(DamagedError, match=r"`model\.py` is not the file that the run had"):
        reproduce(package, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_what_is_asked_wrongly_leaves_nothing(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tolerance, a combination or a profile that there is not, and a folder in the package, are refused at once."""
    from sciflow.errors import ProfileError
    from sciflow.package.again.tolerances import Tolerances

    into = tmp_path / "again"
    with pytest.raises(PackageError, match="`scor`"):
        reproduce(packed, into, tolerances=Tolerances.of(["scor=1e-3"]))
    with pytest.raises(PackageError, match="never is 5"):
        reproduce(packed, into, combinations=[{"x": 5}])
    with pytest.raises(ProfileError, match="no cluster profile"):
        reproduce(packed, into, profile="nowhere")
    assert not into.exists()
    monkeypatch.chdir(packed)
    for package, folder in ((packed, packed / "out"), (Path(), None)):
        with pytest.raises(PackageError, match="lies in the package"):
            reproduce(package, folder, environment="here")
