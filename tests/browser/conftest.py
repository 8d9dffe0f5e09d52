"""A browser for the tests of this folder."""

import os
import shutil
from collections.abc import Iterator

import pytest

from browser.chromium import Chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Return a headless Chromium; skip where there is none, and fail if there was said to be one."""
    program = shutil.which("chromium")
    if program is None:
        reason = "no Chromium to open reports in; `bash .ci/install-chromium` installs it"
        if os.environ.get("SCIFLOW_REQUIRE_CHROMIUM") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    started = Chromium(program, tmp_path_factory.mktemp("chromium"))
    try:
        yield started
        started.close()
    finally:
        started.kill()
