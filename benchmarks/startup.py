"""How long `sciflow --help`, `sciflow status` and `import sciflow` take, beside an interpreter that does nothing.

python benchmarks/startup.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import in_turn, median, show

RUN = "import sciflow; w = sciflow.ExperimentalWorkflow('one'); w.add_task('f', lambda: {'x': 1}); " + (
    "sciflow.Engine().execute_parameter_sweep(w)"
)


def main() -> None:
    """Measure and print."""
    nothing = [sys.executable, "-c", "pass"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_turn([sys.executable, "-c", RUN], nothing, folder, times=1)  # so that there is a run to ask about
        for title, command, budget in (
            ("sciflow --help", [sys.executable, "-m", "sciflow", "--help"], 0.2),
            ("sciflow status", [sys.executable, "-m", "sciflow", "status"], 0.2),
            ("python -c 'import sciflow'", [sys.executable, "-c", "import sciflow"], 0.2),
        ):
            ours, floor = in_turn(command, nothing, folder, times=9)
            show(title, median(ours, "wall"), "s", budget)
            show("  beyond an interpreter that does nothing", median(ours, "wall") - median(floor, "wall"), "s")
            show("  ratio to it", median(ours, "wall") / median(floor, "wall"), "")


if __name__ == "__main__":
    main()
