"""Figures, dashboard, report and exports of large runs, beside what bare matplotlib and pandas take for as much.

    python benchmarks/figures.py [ROWS]

Every kind of figure is computed and drawn as a PNG from 10,000 and from ten times as many rows, in this process, after
one that does not count. The floor of a figure is an empty page of the same size with as many axes. Dashboard and report
are whole commands on runs whose records are written by the shim's own functions; their floor is a command that imports
pandas and matplotlib and draws one empty axes. Those of exports is pandas' own CSV. Times are CPU times.
"""

from __future__ import annotations

import io
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from collect import leave_records, work  # beside this file
from measure import in_turn, median, show

from sciflow.analysis.export import export_frame
from sciflow.analysis.observations import Metric, Observations, Parameter
from sciflow.engine import Engine
from sciflow.execution import open_run
from sciflow.figures.numbers import Source
from sciflow.figures.picture import Picture, picture
from sciflow.figures.style import DEFAULT
from sciflow.model.visualization import Visualization
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.store.layout import RunDirectory

MOST = 5.0  # seconds, of each
OF_METRICS: dict[str, dict[str, Any]] = {
    "line": {"value": "energy", "x_axis": "x", "series": "kind"},
    "scatter": {"value": "energy", "x_axis": "time"},
    "heatmap": {"value": "energy", "x_axis": "x", "y_axis": "y", "facet_by": ["kind"]},
    "contour": {"value": "energy", "x_axis": "x", "y_axis": "y"},
    "bar": {"value": "energy", "x_axis": "kind"},
    "box": {"value": "energy", "x_axis": "kind"},
    "violin": {"value": "energy", "x_axis": "kind"},
    "parallel": {"values": ["energy", "time"]},
    "pairs": {"values": ["energy", "time"]},
    "main_effects": {"value": "energy"},
    "interaction": {"value": "energy"},
    "pareto": {"values": ["energy", "time"], "minimize": ["energy", "time"]},
    "states": {},
}
OF_RUNS = ("timeline", "utilisation", "requests")
FLOOR = (
    "import pandas; from matplotlib.figure import Figure; f = Figure(); f.subplots(); f.savefig('floor.png', dpi=150)"
)


def observed(count: int) -> Observations:
    """A full grid of some 40 × 25 × 2 with repeats: `count` rows."""
    repeats = max(1, count // 2000)
    axes = {
        "x": np.linspace(0, 1, 40),
        "y": np.arange(25),
        "kind": np.array(["cg", "gmres"]),
        "seed": np.arange(repeats),
    }
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    frame = pd.DataFrame({name: one.ravel() for name, one in zip(axes, mesh, strict=True)})
    random = np.random.default_rng(1)
    size = len(frame)
    frame["energy"] = np.sin(6 * frame["x"]) * frame["y"] + (frame["kind"] == "cg") + random.normal(0, 0.3, size)
    frame["time"] = frame["y"] + random.exponential(1, size)
    failed = random.random(size) < 0.02
    frame.loc[failed, ["energy", "time"]] = np.nan
    frame["state"] = np.where(failed, "FAILED", "COMPLETED")
    parameters = {
        name: Parameter(name, tuple(one.tolist()), "category" if name == "kind" else "number", name == "seed")
        for name, one in axes.items()
    }
    metrics = {name: Metric(name, "solve", tuple(axes), unit) for name, unit in (("energy", "J"), ("time", "s"))}
    return Observations(frame, parameters, metrics, "many", ("20250101-000000-aa",))


def made_run(folder: Path, count: int, figures: int) -> RunDirectory:
    """A run of `count` combinations with all its records, collected, that declares figures."""
    workflow = ExperimentalWorkflow("many", folder)
    workflow.add_task("work", work, resources={"cpu_cores": 1, "memory_gb": 0.5, "max_runtime_hours": 1})
    workflow.add_parameter_space({"x": list(range(count // 100)), "y": list(range(100))})
    kinds = [
        {"type": "line", "value": "energy", "x_axis": "x"},
        {"type": "line", "value": "steps", "x_axis": "y"},
        {"type": "heatmap", "value": "energy", "x_axis": "x", "y_axis": "y"},
        {"type": "scatter", "value": "energy", "x_axis": "steps"},
        {"type": "contour", "value": "steps", "x_axis": "x", "y_axis": "y"},
        {"type": "box", "value": "energy", "x_axis": "x"},
        {"type": "main_effects", "value": "energy"},
        {"type": "pareto", "values": ["energy", "steps"], "maximize": ["energy"], "minimize": ["steps"]},
        {"type": "states"},
        {"type": "timeline"},
    ]
    for place, one in enumerate(kinds[:figures]):
        workflow.add_visualization(f"figure_{place}", one)
    engine = Engine(runs=folder / "runs")
    run = RunDirectory(
        engine.write_plan(engine.compile(workflow), folder / "runs" / "many" / f"20250101-000000-{count}")
    )
    leave_records(run, range(count))
    open_run(run.path).collect()
    return run


def cpu(work: Callable[[], Any]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def empty(drawn: Picture, count: int) -> None:
    """Draw a page as large, with as many empty axes, and nothing else."""
    from matplotlib.figure import Figure

    bare = Figure(figsize=DEFAULT.page(drawn.numbers.size), dpi=DEFAULT.dpi, layout="constrained")
    columns = math.isqrt(count - 1) + 1
    for place in range(count):
        bare.add_subplot(-(-count // columns), columns, place + 1)
    bare.savefig(io.BytesIO(), format="png")


def kind(name: str, source: Source, rows: int, wanted: dict[str, Any]) -> None:
    asked = Visualization.model_validate({"type": name, **wanted})
    drawn = picture(source, asked)
    axes = len(drawn.draw().axes)
    empty(drawn, axes)
    seconds, floor = cpu(lambda: picture(source, asked).image()), cpu(lambda: empty(drawn, axes))
    show(f"{name} of {rows:,} rows, {seconds / floor:.1f} × an empty page", seconds, "s", MOST)


def command(title: str, arguments: list[str], folder: Path) -> None:
    costs, floors = in_turn([sys.executable, "-m", "sciflow", *arguments], [sys.executable, "-c", FLOOR], folder, 3)
    own, bare = median(costs, "cpu"), median(floors, "cpu")
    show(f"{title}, {own / bare:.1f} × the floor", own, "s", MOST)
    show(f"{title}, wall", median(costs, "wall"), "s")
    show(f"{title}, peak memory", median(costs, "peak_mb"), "MB")


def exports(frame: pd.DataFrame, folder: Path) -> None:
    floor = cpu(lambda: frame.to_csv(folder / "floor.csv", index=False))
    for ending in ("csv", "tsv", "json", "md", "parquet", "xlsx"):
        export_frame(frame.head(10), folder / f"first.{ending}")
        seconds = cpu(lambda ending=ending: export_frame(frame, folder / f"table.{ending}"))
        show(f"export of {len(frame):,} rows as .{ending}, {seconds / floor:.1f} × pandas' CSV", seconds, "s", MOST)


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # As where it is installed: what is imported has been compiled before.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        for count in (rows, 10 * rows):
            source = Source(observed(count))
            for one, wanted in OF_METRICS.items():
                kind(one, source, len(source.observations), wanted)
        exports(observed(rows).frame, folder)
        large = made_run(folder, rows, 10)
        results = open_run(large.path).results()
        for one in OF_RUNS:
            kind(one, Source(results.observations, results), rows, {})
        command(f"dashboard of {rows:,} rows", ["report", str(large.path), "-o", "page.pdf"], folder)
        command(f"report of {rows:,} rows with 10 figures", ["report", str(large.path), "-o", "report.html"], folder)
        small = made_run(folder, 1_000, 10)
        command("report of 1,000 combinations, 10 figures", ["report", str(small.path), "-o", "report.html"], folder)


if __name__ == "__main__":
    main()
