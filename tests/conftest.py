"""What all tests have in common: signals as in a terminal, and an option for those that compare with golden files."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden` and `--update-references`."""
    parser.addoption("--update-golden", action="store_true", help="write golden files anew; review them with git diff")
    parser.addoption("--update-references", action="store_true", help="draw reference images anew; look at each")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow, unless `SCIFLOW_MANY=1` asks for it: the same is tested with fewer cases."""
    slow = (
        []
        if os.environ.get("SCIFLOW_MANY", "") not in ("", "0")
        else [i for i in items if i.get_closest_marker("slow")]
    )
    items[:] = [item for item in items if item not in slow]
    config.hook.pytest_deselected(items=slow)


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal() -> Iterator[None]:
    """Let no program that a test starts ignore what pytest itself ignores, under `nohup` or as a job in the background.

    What is ignored stays so in programs that are started; what is caught is at its default in them. Caught by a
    function that does nothing, it still does not end pytest.
    """
    ignored = [n for n in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT) if signal.getsignal(n) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda *_: None)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def same_as_golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Return a function that compares a text with a golden file, or writes that file with `--update-golden`."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing: run pytest with --update-golden, and review it"
        assert text == path.read_text(encoding="utf-8")

    return compare
