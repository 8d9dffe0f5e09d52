"""A report is opened in a browser that reaches no network."""

import re
from pathlib import Path

import pytest

from browser.chromium import Chromium
from sciflow import Engine, load_workflow
from sciflow.execution import open_run

HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
WORKFLOW = """
name: melting
parameters:
  temperature: [280, 290, 300, 310]
  salt: [pure, '{hostile}']
tasks:
  - name: melt
    command: |
      echo {{{{ salt }}}} ; printf '\\033[31mred\\033[0m\\n'
      echo rate={{{{ temperature }}}}
      test {{{{ temperature }}}} -lt 310 || {{ echo {{{{ salt }}}} too warm >&2; exit 3; }}
    extract: {{rate: {{stdout: 'rate=(\\S+)', type: float, unit: mm/s}}}}
    retries: 0
visualizations:
  rates: {{type: line, x_axis: temperature, value: rate, series: salt}}
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a run of which a quarter fails, with values that would like to be programs."""
    folder = tmp_path_factory.mktemp("melting")
    file = folder / "workflow.yaml"
    file.write_text(WORKFLOW.format(hostile=HOSTILE.replace("'", "''")), encoding="utf-8")
    engine = Engine(runs=folder / "runs")
    engine.execute_parameter_sweep(load_workflow(file))
    path = folder / "melting.html"
    open_run(runs=folder / "runs").collect().report(path, maximize=["rate"], figures=2)
    return path


def test_it_needs_nothing_but_itself(browser: Chromium, report: Path) -> None:
    """A report asks for no other file and no network, and the browser has nothing to complain of."""
    browser.open(report)
    asked = [one for one in browser.requests if not one.startswith("data:image/png;base64,")]
    assert asked == [report.as_uri()]
    assert browser.complaints == []
    assert browser.value("document.title").startswith("melting: report of run ")


def test_it_shows_the_numbers(browser: Chromium, report: Path) -> None:
    """Counts, the best value with its place, states and reasons are in the page; figures have pixels and words."""
    browser.open(report)
    text = browser.value("document.body.innerText")
    assert "6 of 8 combinations are completed" in text
    assert "ended with failures" in text
    assert "The largest values of rate (mm/s)" in text
    assert re.search(r"1\s+300\s+pure\s+300", text)
    assert text.count("1 × melt: application error") == 2
    assert "too warm" in text
    assert "\x1b" not in text
    images = browser.value("[...document.images].map(one => [one.naturalWidth, one.naturalHeight, one.alt])")
    assert images
    assert all(width > 300 and height > 200 for width, height, _ in images)
    assert "mean from 280 to 300" in images[0][2]


def test_what_users_wrote_stays_text(browser: Chromium, report: Path) -> None:
    """A value that is a program of the web is shown to the letter and is not run, wherever it stands."""
    browser.open(report)
    assert browser.value("document.scripts.length") == 1
    assert browser.value("document.querySelectorAll('img[onerror], img[src=x]').length") == 0
    assert HOSTILE in browser.value("document.querySelector('#combinations').textContent")
    assert HOSTILE in browser.value("document.querySelector('#failures').textContent")


def test_tables_are_sorted_and_filtered(browser: Chromium, report: Path) -> None:
    """A click on a column's head sorts by it, another one the other way; a filter hides what is not meant."""
    browser.open(report)
    table = "document.querySelector('#combinations table')"
    column = f"[...{table}.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[2].textContent)"
    click = f"{table}.tHead.rows[0].cells[2].querySelector('button').click()"
    browser.value(click)
    assert browser.value(column) == ["280", "280", "290", "290", "300", "300", "", ""]
    browser.value(click)
    assert browser.value(column) == ["300", "300", "290", "290", "280", "280", "", ""]
    assert browser.value(f"{table}.tHead.rows[0].cells[2].getAttribute('aria-sort')") == "descending"
    browser.value(
        "(() => { const filter = document.querySelector('#combinations input');"
        " filter.value = 'FAILED'; filter.dispatchEvent(new Event('input')); })()"
    )
    assert browser.value(column) == ["", ""]


@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_a_window(browser: Chromium, report: Path, width: int, tmp_path: Path) -> None:
    """The page is as wide as a window, also as that of a telephone: only tables are moved to and fro."""
    browser.open(report, width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    browser.screenshot(tmp_path / f"{width}.png")


def test_it_is_read_without_scripts_and_printed(browser: Chromium, report: Path) -> None:
    """Without its script nothing is missing but sorting, and the page can be printed."""
    browser.open(report, with_scripts=False)
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    assert "6 of 8 combinations are completed" in browser.value("document.body.innerText")
    assert browser.value("document.querySelectorAll('th button, input').length") == 0
    printed = browser.pdf()
    assert printed.startswith(b"%PDF-")
    assert len(printed) > 20_000
