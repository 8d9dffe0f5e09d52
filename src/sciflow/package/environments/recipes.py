"""Recipes of containers with what a run had: a Dockerfile, and a definition for Apptainer."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2

from sciflow import assets
from sciflow.errors import TemplateError
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.environments.environment import LockedEnvironment, one_line, simple_variables
from sciflow.package.environments.surroundings import part
from sciflow.package.packaged_run import PackagedRun

_TEMPLATES = {
    layout.DOCKERFILE: ("package/Dockerfile.j2", "builds an image with these versions, by Docker or Podman"),
    layout.APPTAINER: ("package/apptainer.def.j2", "builds a container with these versions, by Apptainer"),
}
_INSTALL = "python -m pip install --no-cache-dir"
_DEBIAN = "bookworm"  # of the images below
# Compiler → the packages of Debian that bring it.
_COMPILERS = {
    "cc": ("gcc", "libc6-dev"),
    "gcc": ("gcc", "libc6-dev"),
    "g++": ("g++",),
    "gfortran": ("gfortran",),
    "clang": ("clang",),
}
# What stands in the version of a launcher → the packages of Debian that bring that MPI.
_MPI = (
    (r"open ?mpi|openrte|prrte", ("libopenmpi-dev", "openmpi-bin")),
    (r"hydra|mpich", ("libmpich-dev", "mpich")),
)
_OF_OTHERS = {"nvcc": "start from an image of NVIDIA with that CUDA", "icx": "install Intel's oneAPI"}


def gather_recipes(packaged: PackagedRun, contents: Contents, locked: LockedEnvironment) -> None:
    """Take in a Dockerfile and a definition for Apptainer; nothing where the version of Python is not known.

    Parameters
    ----------
    locked
        The environment, as `gather_environment` gives it.

    Raises
    ------
    TemplateError
        Where a template is missing, or cannot be rendered.
    """
    if locked.python and layout.REQUIREMENTS in contents.entries:
        for path, (template, about) in _TEMPLATES.items():
            contents.add(path, recipe(template, packaged.name, locked).encode(), about)


def recipe(template: str, name: str, locked: LockedEnvironment) -> str:
    """The text of one recipe.

    Parameters
    ----------
    template
        ``package/Dockerfile.j2`` or ``package/apptainer.def.j2``.
    name
        The package's name.
    locked
        The environment.
    """
    path = assets.bundled("templates") / template
    variables = simple_variables(locked)
    told = {
        "name": name,
        "tag": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "packaged",
        "image": f"docker.io/library/python:{_image_tag(locked.python)}-slim-{_DEBIAN}",
        "packages": sorted(set(_packages(locked.captured))),
        "variables": list(variables.items()),
        "notes": [one_line(note) for note in _notes(locked, variables)],
        "install": f"{_INSTALL} -r /package/{layout.REQUIREMENTS} /package/{layout.WHEELS}/*.whl",
    }
    made = jinja2.Environment(  # noqa: S701 - no HTML
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    made.filters.update(quote=shlex.quote, docker=docker_quoted)
    try:
        return made.from_string(path.read_text(encoding="utf-8")).render(told)
    except (OSError, jinja2.TemplateError) as error:
        raise TemplateError(f"`{path}` cannot be rendered: {error}", hint="install sciflow again") from error


def docker_quoted(value: str) -> str:
    """A value of `ENV`, in which nothing is read as a variable or an escape."""
    return '"' + re.sub(r'(["\\$])', r"\\\1", value) + '"'


def _image_tag(python: str) -> str:
    """The version as images are named: numbers, and `rc1` and the like."""
    found = re.match(r"\d+\.\d+(?:\.\d+)?(?:(?:a|b|rc)\d+)?", python)
    return found[0] if found else python


def _packages(captured: Mapping[str, Any]) -> Iterator[str]:
    for name in part(captured, "compilers"):
        yield from _COMPILERS.get(name, ())
    for facts in part(captured, "mpi").values():
        yield from _of_mpi(facts)
    if any(isinstance(one, Mapping) and one.get("version_control") for one in part(captured, "sources").values()):
        yield "git"


def _of_mpi(facts: Any) -> tuple[str, ...]:
    version = str(facts.get("version", "")) if isinstance(facts, Mapping) else ""
    return next((packages for words, packages in _MPI if re.search(words, version, re.IGNORECASE)), ())


def _notes(locked: LockedEnvironment, variables: Mapping[str, str]) -> Iterator[str]:
    """What the recipe does not make as it was, in sentences."""
    captured = locked.captured
    system, python = part(captured, "os"), part(captured, "python")
    if system.get("id") != "debian" or str(system.get("version")) != "12":
        where = system.get("name") or system.get("system") or "another system"
        yield f"The run was made on {where}: system libraries and compilers are other versions in this image."
    if (machine := system.get("machine")) not in (None, "", "x86_64"):
        yield f"The run was made on {machine}: build this on such a machine, or with --platform."
    if (made := python.get("implementation")) not in (None, "", "CPython"):
        yield f"The run was made with {made}; this image has CPython."
    for kind in ("compilers", "mpi"):
        for name, facts in sorted(part(captured, kind).items()):
            version = facts.get("version") if isinstance(facts, Mapping) else ""
            known = name in _COMPILERS or bool(_of_mpi(facts))
            way_out = _OF_OTHERS.get(name, "it is not installed here")
            yield f"The run had {name}: {version or 'of unknown version'}." + (
                "" if known else f" To have it, {way_out}."
            )
    for what, path in (("conda", layout.CONDA), ("modules", layout.MODULES)):
        if captured.get(what):
            yield f"The run had {what}, which this image has not: see {path}."
    for name, why in sorted(locked.not_on_index.items()):
        if name != "sciflow":
            yield f"Not installed: {name}, {why}."
    for name in sorted(set(locked.variables) - set(variables)):
        yield f"The variable {name} had a value that is not repeated here; see {layout.ENVIRONMENT_FACTS}."
