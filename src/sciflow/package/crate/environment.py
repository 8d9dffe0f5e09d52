"""What of the surroundings of a run stands in its crate: settings that change what programs do, and containers."""

from __future__ import annotations

import re
from typing import Any

from sciflow.package.crate.graph import Graph, Reference, fragment
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.results import ENVIRONMENTS
from sciflow_shim import files
from sciflow_shim.record_reader import read_record

_MOST = 10  # environments that are looked into
# What says where and by whom something ran, and not how: paths, names, and what the scheduler sets.
_OF_THE_PLACE = re.compile(
    r"(HOME|USER|LOGNAME|SHELL|TMPDIR|PATH|VIRTUAL_ENV|_LMFILES_|MODULEPATH|LIBRARY_PATH|CPATH"
    r"|PYTHONPATH|PYTHONHOME|LD_LIBRARY_PATH|(SLURM|PBS|CONDA|SCIFLOW)_\w+)"
)
_IMAGE = re.compile(
    r"(?P<kind>docker|oras|library)://(?:(?P<registry>[^/]*[.:][^/]*)/)?(?P<name>[^:@]+)(?::(?P<tag>[^@]+))?"
)
_TERMS = "https://w3id.org/ro/terms/workflow-run#"
_REGISTRIES = {"docker": "docker.io", "oras": "docker.io", "library": "cloud.sylabs.io"}


def add_environment(graph: Graph, packaged: PackagedRun) -> list[Reference]:
    """The variables that change what programs do, with the values that they had anywhere in the run."""
    values: dict[str, list[str]] = {}
    for root in _captured(packaged):
        variables = root["variables"].attributes if "variables" in root else {}
        for name in sorted(variables):
            if not _OF_THE_PLACE.fullmatch(name) and str(variables[name]) not in values.setdefault(name, []):
                values[name].append(str(variables[name]))
    return [
        graph.add(fragment("environment", name), "PropertyValue", name=name, value=found)
        for name, found in sorted(values.items())
        if any(found)
    ]


def add_image(graph: Graph, packaged: PackagedRun) -> list[Reference]:
    """The container images in which it ran, of those that have an address; a file of some cluster has none."""
    found = []
    images = {str(root["container"].attributes.get("image", "")) for root in _captured(packaged) if "container" in root}
    for image in sorted(images):
        match = _IMAGE.fullmatch(image)
        if match:
            found.append(
                graph.add(
                    fragment("image", image),
                    "ContainerImage",
                    name=match["name"],
                    registry=match["registry"] or _REGISTRIES[match["kind"]],
                    tag=match["tag"],
                    additionalType={"@id": _TERMS + ("DockerImage" if match["kind"] == "docker" else "SIFImage")},
                )
            )
    return found


def _captured(packaged: PackagedRun) -> list[Any]:
    """What was captured of the first environments; of one whose capture was cut off there is nothing."""
    table = packaged.results.tables.table(ENVIRONMENTS)
    found = []
    for name in sorted(table["environment"])[:_MOST] if table.count else ():
        try:
            found.append(read_record(packaged.run / files.environment(name)))
        except (FileNotFoundError, ValueError):
            continue
    return found
