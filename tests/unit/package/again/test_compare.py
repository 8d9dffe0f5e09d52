"""A run beside the same made again: outcomes, values, what was put in differently, and the verdict on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package.again.compare import ComparedValue, Comparison, compare_runs
from sciflow.package.again.compared_values import compare_scalars
from sciflow.package.again.differences import PLACE, Difference, differences
from sciflow.package.again.recorded import Instance, RecordedRun
from sciflow.package.again.tolerances import DEFAULT, Tolerances
from sciflow.package.again.verdict import Asked, Package, Verdict

Make = Callable[..., RecordedRun]
_FIGURE = {"type": "line", "x_axis": "x", "value": "score", "series": "y"}


def _workflow(folder: Path, shift: float, seeds: list[int], mends: bool, xs: list[int]) -> ExperimentalWorkflow:
    def measure(x: int, y: int, seed: int) -> dict[str, Any]:
        import numpy as np

        if (x, y) == (3, 2) and not mends:
            raise ValueError(f"at x={x}")
        noise = np.random.default_rng([seed, x]).normal(size=8) * 1e-3
        return {"score": x * y + float(noise.sum()) + shift * (x == 2), "count": x, "noise": noise, "thing": {x, y}}

    def total(measure: list[dict[str, Any]]) -> dict[str, Any]:
        return {"sum": sum(one["count"] for one in measure)}

    workflow = ExperimentalWorkflow("scores", folder)
    workflow.add_task("measure", measure)
    workflow.add_task("total", total, depends_on=["measure"], over="all", missing="skip")
    workflow.add_parameter_space({"x": xs, "y": [1, 2], "seed": seeds})
    workflow.add_visualization("scores", _FIGURE)
    return workflow


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a function that runs the workflow, once for each way in which it is asked to."""
    known: dict[Any, RecordedRun] = {}

    def made(again: int = 0, shift: float = 0.0, seed: int = 1, mends: bool = False, last: int = 3) -> RecordedRun:
        key = (again, shift, seed, mends, last)
        if key not in known:
            folder = tmp_path_factory.mktemp("scores")
            engine = Engine(runs=folder / "runs")
            xs = list(range(1, last + 1))
            results = engine.execute_parameter_sweep(_workflow(folder, shift, [seed], mends, xs))
            known[key] = RecordedRun(results.run, results.tables)
        return known[key]

    return made


def _compared(there: RecordedRun, here: RecordedRun, *tolerances: str, is_sample: bool = False) -> Comparison:
    return compare_runs(there, here, Tolerances.of(tolerances), is_sample)


def _verdict(comparison: Comparison, there: RecordedRun, here: RecordedRun, is_sample: bool = False) -> Verdict:
    put_in = differences(there, here, is_sample, comparison.seeds)
    package = Package("scores_v1", "20260101-000000-aa", "scores", "ab" * 32)
    return Verdict(package, Asked(), "2026-01-01T00:00:00+00:00", comparison=comparison, differences=put_in)


def test_the_same_run_again_is_reproduced(make: Make) -> None:
    """Every value of every instance is the same, one fails with the same error, and the best setting is the same."""
    found = _compared(make(), make(again=1))
    assert found.overall == "reproduced"
    assert found.instances == {"reproduced": 7}
    assert {(one.name, one.verdict) for one in found.values} == {
        (name, "reproduced") for name in ("score", "count", "noise", "thing", "sum")
    }
    assert [(one.metric, one.is_largest, one.there, one.is_same) for one in found.best] == [
        ("score", True, {"x": 2, "y": 2, "seed": 1}, True),
        ("score", False, {"x": 1, "y": 1, "seed": 1}, True),
    ]
    assert differences(make(), make(again=1)) == []


def test_a_difference_is_within_a_tolerance_that_is_as_wide(make: Make) -> None:
    """By default it is different; `score=abs:…` makes it within tolerance, and `ignore` leaves it out."""
    there, here = make(), make(shift=-3.0)
    found = _compared(there, here)
    assert found.overall == "different"
    [score] = [one for one in found.values if one.name == "score"]
    assert score.counts == {"reproduced": 3, "different": 2}
    assert score.absolute == pytest.approx(3.0)
    assert {one.parameters["x"] for one in score.worst} == {2}
    assert _compared(there, here, "score=abs:3.1").overall == "within tolerance"
    assert _compared(there, here, "score=abs:2.9").overall == "different"
    left = _compared(there, here, "score=ignore")
    assert (left.overall, left.ignored) == ("reproduced", ["measure.score"])
    told = _verdict(left, there, here)
    assert told.headline.startswith(
        "scores_v1: reproduced, but `measure.score` was not compared (ignored on request): "
    )
    assert json.loads(told.to_json())["not_compared"] == ["measure.score"]


def test_what_was_not_compared_at_all_is_not_reproduced(make: Make) -> None:
    """Where all values are ignored, that is a verdict of its own, for the instances and in the end."""
    there, here = make(mends=True), make(again=1, mends=True)
    found = _compared(there, here, "*=ignore")
    assert (found.overall, found.instances) == ("not compared", {"not compared": 7})
    verdict = _verdict(found, there, here)
    assert not verdict.is_reproduced
    assert verdict.headline == "scores_v1: not compared: of 7 task instances 7 not compared"
    assert "not compared, on request: `measure.score`" in verdict.describe()


def test_the_largest_difference_and_the_largest_for_its_size_are_told_each_with_its_place() -> None:
    """No sentence has the numbers of two instances; a share is in per cent, unless it is tiny."""
    value = ComparedValue("wild", "r", "metric", "rel 1e-09")
    for number, (there, here) in enumerate([(0.04, 0.58), (1000.0, 1001.0)]):
        parameters = {"length": number}
        instance = Instance("wild", number, parameters, "COMPLETED", "", "", "", 0)
        value.add(instance, compare_scalars(there, here, DEFAULT))
    verdict = Verdict(Package("v", "1", "w", "ab"), Asked(), "", comparison=Comparison([value], {"different": 2}))
    text = (
        "metric `wild.r` is different in 2 of 2 (allowed: rel 1e-09); "
        "most at length=0: 0.04 there, 0.58 here, by 0.54 (1.35e+03 %); "
        "by the largest number at length=1: 1000 there, 1001 here, by 1 (0.1 %)"
    )
    assert text in verdict.describe().splitlines()
    [facts] = json.loads(verdict.to_json())["values"]
    assert (facts["worst"][0]["instance"], facts["largest"]["instance"]) == (0, 1)


def test_values_that_differ_though_nothing_was_put_in_differently_are_the_programs_own(make: Make) -> None:
    """It is said; where the environment or the cluster is another one, that may be why, and is said too."""
    there, here = make(), make(shift=-3.0)
    verdict = _verdict(_compared(there, here), there, here)
    assert verdict.remark == ""  # the code is another one
    verdict.differences = ()
    assert verdict.remark.startswith("nothing was put in differently (code, inputs, parameters, seeds and versions")
    assert "not drawn from sciflow's seed" in verdict.remark
    assert verdict.remark in verdict.describe().splitlines()
    verdict.differences = [Difference(PLACE, "cluster profile `local` became `site`")]
    assert "comes of where it was run, or the program itself" in verdict.remark
    same = _verdict(_compared(there, make(again=1)), there, make(again=1))
    assert same.remark == ""


def test_a_declared_input_is_told_once_and_a_command_with_both(tmp_path: Path) -> None:
    """A file that a command names is code, unless it is declared as an input; a command is told as it was and is."""

    def made(name: str, command: str, data: str) -> RecordedRun:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "input.dat").write_text(data)
        (folder / "count.sh").write_text(f"wc {data}")
        workflow = ExperimentalWorkflow("counts", folder)
        names = "{{ workflow_dir }}/input.dat {{ workflow_dir }}/count.sh"
        workflow.add_task("count", command=f"{command} {names}", inputs=["input.dat"])
        workflow.add_parameter_space({})
        run = Engine(runs=folder / "runs").execute_parameter_sweep(workflow)
        return RecordedRun(run.run, run.tables)

    found = differences(made("there", "cat", "1"), made("here", "wc -l", "2"))
    names = "{{ workflow_dir }}/input.dat {{ workflow_dir }}/count.sh"
    assert [(one.kind, one.what) for one in found] == [
        ("code", "the code in `count.sh` is another one"),
        ("code", f"task `count`: its command: `cat {names}` there, `wc -l {names}` here"),
        ("input", "input file `input.dat` has other bytes"),
    ]


def test_another_best_setting_is_told(make: Make) -> None:
    """Where the largest value moves to another setting, both settings and values are named."""
    there, here = make(), make(shift=-3.0)
    found = _compared(there, here)
    largest = next(one for one in found.best if one.is_largest)
    assert (largest.there["x"], largest.here["x"], largest.is_same) == (2, 3, False)
    verdict = _verdict(found, there, here)
    assert verdict.is_best_same is False
    assert "`score` is largest at x=2, y=2, seed=1 there" in verdict.describe()


def test_what_failed_and_does_not_fail_now_is_different(make: Make) -> None:
    """Another state is another outcome; what ran and fails now is not run, with the error that it has here."""
    mended = _compared(make(), make(mends=True))
    assert mended.overall == "different"
    [one] = [one for one in mended.outcomes if one.task == "measure"]
    assert (one.verdict, one.there, one.here) == ("different", "FAILED: ValueError: at x=3", "COMPLETED")
    broken = _compared(make(mends=True), make())
    [other] = [one for one in broken.outcomes if one.task == "measure"]
    assert (other.verdict, other.here) == ("not run", "FAILED: ValueError: at x=3")


def test_a_sample_leaves_out_what_gathers_all(make: Make) -> None:
    """Of a sample only what ran is compared: neither what was left out, nor a sum over what is only half there."""
    found = _compared(make(), make(last=2), is_sample=True)
    assert found.overall == "reproduced"
    told = _verdict(found, make(), make(last=2), is_sample=True).describe()
    assert "of what was compared, `score` is largest at" in told
    assert found.instances == {"reproduced": 4, "left out": 3}
    whole = _compared(make(), make(last=2))
    assert whole.overall == "partly run"
    assert whole.instances == {"reproduced": 4, "not run": 3}
    assert [one.here for one in whole.outcomes if one.task == "total"] == ["it gathers other instances than before"]


def test_another_seed_is_named(make: Make) -> None:
    """A parameter that has other values is named with both, and none of what was packaged has run."""
    there, here = make(), make(seed=2)
    found = _compared(there, here)
    assert (found.overall, found.strange) == ("not run", 6)
    [seed] = differences(there, here)
    assert (seed.kind, seed.what) == ("parameter", "parameter `seed`: 2 came in, 1 fell out")


def test_other_code_is_named_with_its_tasks(make: Make) -> None:
    """A function whose code is another one is named, and so is what differs, in the file and in words."""
    there, here = make(), make(shift=-3.0)
    verdict = _verdict(_compared(there, here), there, here)
    assert [(one.kind, one.tasks) for one in verdict.differences] == [("code", ("measure",))]
    document = json.loads(verdict.to_json())
    assert (document["format"], document["verdict"]) == (1, "different")
    [score] = [one for one in document["values"] if one["name"] == "score"]
    assert score["worst"][0]["parameters"]["x"] == 2
    text = verdict.describe()
    assert text.startswith("scores_v1: different: of 7 task instances ")
    assert "put in differently (code): task `measure`: the code of its function" in text
    assert "metric `measure.score` is different in 2 of 5 (allowed: rel 1e-09); most at x=2, y=1, seed=1: " in text
    assert ", by 3 (150 %)" in text


def test_a_verdict_on_nothing_says_why(make: Make) -> None:
    """Where nothing could be run, the verdict is `not run` with the reasons, and its file is still whole."""
    package = Package("scores_v1", "20260101-000000-aa", "scores", "ab" * 32)
    verdict = Verdict(package, Asked(), "2026-01-01T00:00:00+00:00", reasons=["`data.csv` is nowhere"])
    assert (verdict.overall, verdict.is_reproduced, verdict.is_best_same) == ("not run", False, None)
    assert verdict.describe() == "scores_v1: not run\nnot run: `data.csv` is nowhere"
    assert json.loads(verdict.to_json())["not_run_because"] == ["`data.csv` is nowhere"]
