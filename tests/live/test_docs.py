"""The pages of the documents that need a cluster, on a real Slurm."""

import json
from pathlib import Path

import pytest

from live.account import Account

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests" / "docs" / "run_page.py"
MARK = "<!-- runs on: slurm -->"
# The mark is the third line, after the title.
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.read_text().splitlines()[2] == MARK]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_does_what_the_page_says(page: Path, account: Account) -> None:
    """An ordinary user who follows a page from top to bottom sees what it shows; every block of it is run."""
    programs = account.folder("page")  # the checkout may lie where this user cannot read
    copies = [account.write(programs / path.name, path.read_text()) for path in (RUNNER, page)]
    done = account.run("python", *copies, cwd=account.folder("docs"), timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "not run" not in json.loads(done.stdout)
