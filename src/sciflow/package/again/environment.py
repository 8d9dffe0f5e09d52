"""The environment in which a package is run again: built by its lock, or that of sciflow itself."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sciflow.errors import PackageError
from sciflow.package.environments.rebuild import build_environment
from sciflow.package.environments.surroundings import (
    DIFFERENT,
    MISSING,
    Difference,
    differences,
    distributions_in,
    present,
)

How = Literal["build", "here"]
_WHOLE = "environment.whole"  # stands beside an environment that was built to its end
_PARTS = ("python", "distributions")  # what is built; the rest of a machine is as it is
_MOST_TOLD = 12


@dataclass(frozen=True)
class WantedEnvironment:
    """Which environment a package is run again in.

    Attributes
    ----------
    how
        ``build`` makes the recorded one anew; ``here`` takes that of sciflow itself, as it is.
    wheels, offline
        A folder of wheels of which it is built, and whether nothing may be downloaded.
    allow_different
        Go on in one that lacks something, or has other versions.
    """

    how: How = "build"
    wheels: Path | None = None
    offline: bool = False
    allow_different: bool = False


@dataclass(frozen=True)
class Ready:
    """An environment that is ready.

    Attributes
    ----------
    python
        Its interpreter.
    differences
        How it differs from the recorded one, in Python and what is installed.
    """

    python: Path
    differences: Sequence[Difference] = ()


def check_here(recorded: Mapping[str, Any], import_path: Sequence[Path], wanted: WantedEnvironment) -> Ready:
    """Take the environment of sciflow itself, where it is as the recorded one.

    Parameters
    ----------
    recorded
        The environment of the packaged run, as it was captured.
    import_path
        The folders of the package in which its program finds modules, and whatever is installed there.
    wanted
        Whether it may differ.

    Raises
    ------
    PackageError
        Where Python or something that is installed is missing or different, and that is not allowed.
    """
    now = present()
    brought = distributions_in(import_path)
    now["distributions"] = {**now.get("distributions", {}), **brought}
    there, here = ({name: one[name] for name in _PARTS if name in one} for one in (recorded, now))
    found = differences(there, here)
    worse = [one for one in found if one.grade in (DIFFERENT, MISSING)]
    if worse and not wanted.allow_different:
        more = f"\n  … and {len(worse) - _MOST_TOLD} more" if len(worse) > _MOST_TOLD else ""
        told = "".join(f"\n  {one.what}" for one in worse[:_MOST_TOLD])
        way_out = "`--environment build` builds the recorded one, and `--allow-different` takes this one all the same"
        raise PackageError(f"the environment here is not the recorded one:{told}{more}", hint=way_out)
    return Ready(Path(sys.executable), found)


def built(payload: Path, folder: Path, wanted: WantedEnvironment) -> Ready:
    """Build the recorded environment, unless an earlier call has.

    Parameters
    ----------
    payload
        That of the package.
    folder
        Where the environment goes.
    wanted
        Of what it is built.

    Raises
    ------
    PackageError
        Where it cannot be built, or not all of it and that is not allowed.
    """
    mark = folder.with_name(_WHOLE)
    if mark.is_file():
        return Ready(Path(mark.read_text(encoding="utf-8")))
    if folder.is_dir():  # its building was cut off
        shutil.rmtree(folder)
    done = build_environment(
        payload, folder, wheels=wanted.wheels, offline=wanted.offline, allow_different=wanted.allow_different
    )
    mark.write_text(str(done.python), encoding="utf-8")
    return Ready(done.python, done.differences)
