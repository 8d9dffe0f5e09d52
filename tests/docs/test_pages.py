"""Every fenced block of the README and of the documents does what the page says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from live.test_docs import PAGES as ON_SLURM

ROOT = Path(__file__).parents[2]
RUNNER = Path(__file__).with_name("run_page.py")
ALL = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in ALL if "<!-- runs on:" not in page.read_text()]
# Page → how many of its blocks are marked as not to be run.
NOT_RUN = {"README.md": 2, "docs/guide/publication.md": 1}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """All blocks of a page run in order in an empty directory and print what the page shows."""
    done = subprocess.run(
        [sys.executable, RUNNER, page], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout).get("not run", 0) == NOT_RUN.get(str(page.relative_to(ROOT)), 0)


def test_the_pages_are_there() -> None:
    """There is something to run: the README, and pages in each part of the documents."""
    assert {page.parent.name for page in PAGES} == {ROOT.name, "docs", "guide", "concepts", "reference"}


def test_every_page_is_run_somewhere() -> None:
    """A page is run here, or on a real Slurm by `tests/live`; none is left out, and none is run twice."""
    assert ON_SLURM
    assert sorted([*PAGES, *ON_SLURM]) == sorted(ALL)


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```python\nassert 1 == 2\n```\n", "line 2: AssertionError"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "shown:\n2"),
        ("```console\n$ false\n```\n", "`false` ended with 1"),
        ("```console\n$ echo a\nb\n```\n", "shown:\nb"),
        ("```yaml\nparameters: {x: []}\n```\n", "has no values"),
        ("```yaml w.yaml\nname: w\ntasks: [{name: t}]\n```\n", "needs a function or a command"),
        ("```fortran\nend\n```\n", "nobody knows"),
        ("```python\n", "not closed"),
    ],
)
def test_a_wrong_page_is_found_out(page: str, complaint: str, tmp_path: Path) -> None:
    """A block that fails, or prints something else than the page shows, fails the page."""
    (tmp_path / "page.md").write_text(page)
    done = subprocess.run(
        [sys.executable, RUNNER, "page.md"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert complaint in done.stderr
