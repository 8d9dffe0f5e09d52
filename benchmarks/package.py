"""A run of 1,000 indices becomes a package and is verified, beside floors in the same run.

    python benchmarks/package.py [INDICES]

The records are written by the shim's own functions, without running a program for each. The floor of packaging is what
anybody would do by hand: copy the run directory, `sha256sum` all its files, and zip them. That of verifying is `unzip`
and `sha256sum --check`. The page cache is warm for all of them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from collect import leave_records, stage  # beside this file
from measure import Cost, run, show

from sciflow.cli.main import _VERBS
from sciflow.package import layout
from sciflow.package.bags.archive import opened

MOST = 10.0  # seconds, of each
BY_HAND = """
set -e
mkdir by-hand
cp -r "$1" by-hand/run
(cd by-hand && find run -type f -print0 | sort -z | xargs -0 sha256sum > SHA256SUMS)
python3 -c 'import shutil, sys; shutil.make_archive("by-hand", "zip", ".", "by-hand")'
rm -r by-hand
"""
CHECKED_BY_HAND = """
set -e
python3 -c 'import zipfile; zipfile.ZipFile("by-hand.zip").extractall("checked")'
(cd checked/by-hand && sha256sum --quiet --check SHA256SUMS)
rm -r checked
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        directory = stage(folder, count)
        leave_records(directory, range(count))
        logs = directory.path / "logs" / "work.0"
        logs.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            (logs / f"{index}.1.out").write_text(f"step 1 of {index}\nenergy {index * 0.5}\n" * 20)
        floor = run(["bash", "-c", BY_HAND, "-", str(directory.path)], folder)
        report("by hand: copied, sha256sum, zip", floor, None)
        program = [sys.executable, "-m", "sciflow", "package", str(directory.path)]
        report("packaged, no figures", run([*program, "--no-figures", "-o", "plain.zip"], folder), floor, MOST)
        report("packaged, with figures", run([*program, "-o", "figures.zip"], folder), floor)
        if "verify" in _VERBS:
            floor = run(["bash", "-c", CHECKED_BY_HAND], folder)
            report("by hand: unzip, sha256sum --check", floor, None)
            report("verified", run([sys.executable, "-m", "sciflow", "verify", "figures.zip"], folder), floor, MOST)
        sizes(folder / "figures.zip", folder / "by-hand.zip")


def report(what: str, cost: Cost, floor: Cost | None, most: float | None = None) -> None:
    show(what, cost.wall, "s", most)
    show("… CPU time", cost.cpu, "s")
    show("… peak memory", cost.peak_mb, "MB")
    if floor is not None:
        show("… beside the floor", cost.wall / floor.wall, "×")


def sizes(package: Path, by_hand: Path) -> None:
    """Print how many bytes are metadata, and how many are the run."""
    with opened(package) as bag:
        payload = bag / layout.PAYLOAD
        of = {
            "run": sum(path.stat().st_size for path in (payload / layout.RUN).rglob("*") if path.is_file()),
            "figures and report": sum(
                path.stat().st_size
                for path in [*(payload / layout.FIGURES).rglob("*"), payload / layout.REPORT]
                if path.is_file()
            ),
            "crate's metadata": (payload / layout.CRATE).stat().st_size,
            "bag's manifests": sum(path.stat().st_size for path in bag.iterdir() if path.is_file()),
            "all": sum(path.stat().st_size for path in bag.rglob("*") if path.is_file()),
        }
        entities = len(json.loads((payload / layout.CRATE).read_text(encoding="utf-8"))["@graph"])
    for what, size in of.items():
        show(f"bytes of {what}", size, "B")
        show("… of all", 100 * size / of["all"], "%")
    show("entities of the crate", entities, "")
    show("the file beside that made by hand", package.stat().st_size / by_hand.stat().st_size, "×")


if __name__ == "__main__":
    main()
