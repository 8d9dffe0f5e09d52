"""The files of a run's project by their digests: what they were, whatever lies in a package's folder later on."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.layout import PROJECT, PROJECT_FACTS, RunDirectory
from sciflow_shim import files

# Those of a package are made anew for each, also where it is of a run that was made of a package.
_MADE_ANEW = {path.removeprefix(f"{layout.PROJECT}/") for path in (layout.WORKFLOW, layout.FUNCTIONS)}
DIGESTS = f"{files.CODE}/project.sha256"  # in a packaged run, which has no archive of its project


def gather_kept_digests(packaged: PackagedRun, contents: Contents) -> None:
    """Take in the digests of all files that a run has kept of its project, as `sha256sum` writes them.

    The archive itself is not taken in, since its files lie in the package.
    """
    if found := kept_files(packaged.run):
        text = "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items()))
        about = "what the files of the project were when it ran: `sha256sum --check` in `project` compares them"
        contents.add(f"{layout.RUN}/{DIGESTS}", text.encode(), about)


def kept_files(run: RunDirectory) -> dict[str, str]:
    """File of the project → SHA-256; nothing of a run that has kept none, as those of early versions."""
    try:
        with zipfile.ZipFile(run / PROJECT) as archive:
            names = [info.filename for info in archive.infolist() if info.filename not in {PROJECT_FACTS, *_MADE_ANEW}]
            return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names if "\n" not in name}
    except FileNotFoundError:
        return _listed(run / DIGESTS)


def _listed(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines if line)}
