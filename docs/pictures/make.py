"""Makes the pictures of the guide from the demo: ``make.py [RUN]``; without a run the demo is run first."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image

import sciflow
from sciflow.figures.dashboard import STYLE as PAGE
from sciflow.figures.style import Style

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "examples" / "neural_network"
LARGEST = 100_000  # bytes of a picture
COLOURS = 96
STYLE = Style(dpi=110)
FIGURES = {
    "heatmap": {"x_axis": "learning_rate", "y_axis": "hidden_layers", "facet_by": ["dropout_rate"]},
    "line": {"x_axis": "learning_rate", "series": "dropout_rate", "x_scale": "log"},
    "main_effects": {},
}


def demo(folder: Path) -> Path:
    """Run the demo in a folder; its run directory."""
    place = shutil.copytree(DEMO, folder / "demo")
    subprocess.run([sys.executable, "experiment.py"], cwd=place, check=True)
    return place / "sciflow-runs" / "latest"


def screenshot(page: Path, target: Path) -> None:
    """The first screen of a page as a browser shows it; where there is no browser, the picture stays as it is."""
    browser = shutil.which("chromium")
    if browser is None:
        sys.stderr.write(f"no Chromium: {target.name} stays as it is\n")
        return
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=900,1150"]
    command = [browser, *options, f"--screenshot={target}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True)


def main(run: Path | None) -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = sciflow.open_run(run or demo(folder)).collect()
        for kind, options in FIGURES.items():
            picture = results.plot(kind, "validation_accuracy", **options)
            picture.save(HERE / f"demo-{kind.replace('_', '-')}.png", STYLE)
        results.dashboard(maximize=["validation_accuracy"]).save(HERE / "demo-dashboard.png", replace(PAGE, dpi=90))
        page = folder / "report.html"
        results.report(page, maximize=["validation_accuracy"], figures=4)
        screenshot(page, HERE / "demo-report.png")
    for path in sorted(HERE.glob("*.png")):
        # Few colours are enough for what is drawn, and take little room in a repository.
        with Image.open(path) as image:
            image.convert("RGB").quantize(COLOURS).save(path, optimize=True)
        size = path.stat().st_size
        if size > LARGEST:
            raise SystemExit(f"{path.name} has {size:,} bytes, and at most {LARGEST:,} are allowed")
        sys.stdout.write(f"{path.name}: {size:,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
