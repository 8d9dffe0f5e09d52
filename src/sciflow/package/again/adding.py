"""A verdict becomes a part of the package that it is on."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.again.verdict import Verdict
from sciflow.package.bags.archive import opened, write_archive
from sciflow.package.bags.bag import add_to_bag
from sciflow.package.crate.verdict import VerdictFacts, add_verdict
from sciflow_shim.redaction import redact


def add_to_package(package: Path, verdict: Verdict) -> str:
    """Put a verdict into its package: its file, and what the crate says of it.

    A folder is changed where it is. Of an archive a new one is written beside, which then takes its place.

    Parameters
    ----------
    package
        The package.
    verdict
        What came of running it again.

    Returns
    -------
    str
        The verdict's place in the payload.

    Raises
    ------
    PackageError
        Where the package is another one than that of the verdict.
    """
    text = redact(verdict.to_json())
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = f"{layout.VERDICTS}/{verdict.when[:10]}-{digest}.json"
    with opened(package) as folder:
        facts = json.loads((folder / layout.PAYLOAD / layout.FACTS).read_bytes())
        if facts["run"] != verdict.package.run:
            told = f"`{package}` holds run `{facts['run']}`, and the verdict is on `{verdict.package.run}`"
            raise PackageError(told)
        _add(folder, path, text, verdict)
        if not package.is_dir():
            write_archive(folder, package, datetime.fromisoformat(facts["when"]), overwrite=True)
    return path


def _add(folder: Path, path: str, text: str, verdict: Verdict) -> None:
    """Add the file, and what the crate says of it, at once: the bag is never without one of them for long."""
    facts = VerdictFacts(
        verdict.overall,
        verdict.headline,
        datetime.fromisoformat(verdict.began),
        datetime.fromisoformat(verdict.when),
        verdict.sciflow,
    )
    with tempfile.TemporaryDirectory(prefix="sciflow-verdict-") as beside:
        payload = Path(beside)
        shutil.copyfile(folder / layout.PAYLOAD / layout.CRATE, payload / layout.CRATE)
        target = payload / path
        target.parent.mkdir(parents=True)
        target.write_text(text, encoding="utf-8")
        add_verdict(payload, path, facts)
        add_to_bag(folder, {path: target, layout.CRATE: payload / layout.CRATE})
