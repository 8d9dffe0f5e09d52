"""Values of parameters and metrics, and what was measured of resources, as a crate has them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sciflow.package.crate.graph import Graph, Reference, fragment
from sciflow_shim.redaction import REDACTED, redact

_LISTED = 20  # values of a parameter that are told one by one
_LONGEST = 60  # characters of a value that stands in an id
_SECONDS, _BYTES = "http://qudt.org/vocab/unit/SEC", "http://qudt.org/vocab/unit/BYTE"
# Name → what says what is meant, the unit, and the columns whose sum it is.
_RESOURCES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "wall time": ("https://w3id.org/ro/terms/compss#executionTime", _SECONDS, ("wall_seconds",)),
    "CPU time": (
        "https://man7.org/linux/man-pages/man2/times.2.html",
        _SECONDS,
        ("user_cpu_seconds", "system_cpu_seconds"),
    ),
    "peak memory": ("https://man7.org/linux/man-pages/man5/proc_pid_status.5.html#VmRSS", _BYTES, ("peak_rss_bytes",)),
    "bytes read": ("https://man7.org/linux/man-pages/man5/proc_pid_io.5.html#read_bytes", _BYTES, ("read_bytes",)),
    "bytes written": (
        "https://man7.org/linux/man-pages/man5/proc_pid_io.5.html#write_bytes",
        _BYTES,
        ("write_bytes",),
    ),
    "peak GPU memory": (
        "https://docs.nvidia.com/deploy/nvml-api/structnvmlProcessInfo__t.html",
        _BYTES,
        ("peak_gpu_memory_bytes",),
    ),
}


def type_of(values: Iterable[Any]) -> str:
    """What the values of a parameter are, as schema.org calls it."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "Boolean"
    if kinds == {int}:
        return "Integer"
    return "Float" if kinds and kinds <= {int, float} else "Text"


def add_value(graph: Graph, name: str, value: Any, of: Sequence[Reference]) -> Reference:
    """The value of a parameter; all that have it refer to the same."""
    plain = _plain(name, value)
    told = json.dumps(plain, ensure_ascii=False)
    if len(told) > _LONGEST:
        told = hashlib.sha256(told.encode()).hexdigest()[:16]
    reference = graph.add(
        fragment("value", name, told), "PropertyValue", name=name, value=plain, exampleOfWork=list(of)
    )
    graph.link(reference["@id"], "exampleOfWork", of)
    return reference


def add_values(graph: Graph, name: str, values: Iterable[Any], of: Reference) -> Reference:
    """All values of a parameter; of many how many there are."""
    distinct = list(dict.fromkeys(_plain(name, value) for value in values))
    value: Any = distinct if len(distinct) > 1 else distinct[0] if distinct else "none"
    if len(distinct) > _LISTED:
        numbers = [one for one in distinct if isinstance(one, int | float) and not isinstance(one, bool)]
        between = f" from {min(numbers)} to {max(numbers)}" if len(numbers) == len(distinct) else ""
        value = f"{len(distinct):,} values{between}"
    return graph.add(fragment("values", name), "PropertyValue", name=name, value=value, exampleOfWork=of)


def add_metric(graph: Graph, id: str, name: str, value: Any, of: Sequence[Reference], unit: str = "") -> Reference:
    """A metric that was measured."""
    facts = {"name": name, "value": _plain(name, value), "unitText": unit, "exampleOfWork": list(of)}
    return graph.add(id, "PropertyValue", **facts)


def add_resources(graph: Graph, action: Sequence[Any], measured: Mapping[str, Any]) -> list[Reference]:
    """What an action used, as far as it was measured."""
    found = []
    for name, (identifier, unit, columns) in _RESOURCES.items():
        numbers = [measured[one] for one in columns if isinstance(measured.get(one), int | float)]
        if numbers and math.isfinite(sum(numbers)):
            id = fragment(*action, name.replace(" ", "-"))
            value = round(sum(numbers), 6)
            found.append(graph.add(id, "PropertyValue", name=name, value=value, propertyID=identifier, unitCode=unit))
    return found


def _plain(name: str, value: Any) -> Any:
    """A value as JSON-LD can have it: no null, nothing nested, no number that is none; and no secret, by its name."""
    if isinstance(value, str) and REDACTED in redact(f"{name}={value}"):
        return REDACTED
    if value is None:
        return "none"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, bool | int | float | str) else json.dumps(value, sort_keys=True, default=str)
