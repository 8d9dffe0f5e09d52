"""Records and logs of a sealed run, which lie in zips: no secret goes into a package within one."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from sciflow.package import layout
from sciflow.package.secrets.cleaning import clean_file, cleaned
from sciflow_shim import files

_FOLDED = f"{layout.RUN}/{files.SEALED}/"


def is_folded(path: str) -> bool:
    """Whether a file of the payload holds records or logs of a sealed run."""
    return path.startswith(_FOLDED) and path.endswith(".zip")


def clean_folded(path: str, source: Path, target: Path, environ: Mapping[str, str]) -> int:
    """Copy a zip of a sealed run without the secrets in its members; without any, it is the same file.

    Parameters
    ----------
    path
        Its place in the payload.
    source, target
        The file, and what is written.
    environ
        As of `sciflow.package.secrets.cleaning.cleaned`.

    Returns
    -------
    int
        How many secrets were replaced.

    Raises
    ------
    SecretFoundError
        For a record that holds one.
    """
    count = 0
    try:
        with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w") as after:
            for member in before.infolist():
                data, found = cleaned(f"{layout.RUN}/{member.filename}", before.read(member), environ)
                after.writestr(member, data)  # with the time, the mode and the compression that it had
                count += found
    except zipfile.BadZipFile:
        return clean_file(path, source, target, environ)  # it is damaged, and stays so
    if not count:
        shutil.copyfile(source, target)
    return count
