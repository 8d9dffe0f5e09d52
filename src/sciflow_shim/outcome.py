"""What the user's program hands to the supervisor: one file, a JSON header and then raw bytes."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

MAGIC = b"sciflow1"
PARTIAL = ".partial"  # what the name of one that is being written ends with


class Outcome:
    """Metrics, results, artifacts and error of one attempt, as they grow.

    `metrics` are scalars; `results` are described by name, dtype and shape, their bytes following the header. `lacking`
    says of declared results that could not be taken why: name → type of the error and message.
    """

    def __init__(self) -> None:
        self.metrics: dict[str, Any] = {}
        self.results: list[dict[str, Any]] = []
        self.artifacts: list[dict[str, Any]] = []
        self.order: list[str] = []
        self.lacking: dict[str, list[str]] = {}
        self.returned = "none"
        self.error: dict[str, str] = {}
        self.notes: dict[str, Any] = {}
        self._blobs: list[memoryview] = []

    def add_result(self, name: str, dtype: str, shape: list[int], data: Any, **attributes: Any) -> None:
        """Add bytes under a name, described by a NumPy dtype and shape; they are not copied."""
        blob = memoryview(data)
        blob = blob.cast("B") if blob.nbytes else memoryview(b"")
        self.results.append(
            {"name": name, "dtype": dtype, "shape": shape, "length": blob.nbytes, "attributes": attributes}
        )
        self._blobs.append(blob)

    def forget(self, name: str) -> None:
        """Take back what was put under a name, if anything was."""
        if name not in self.order:
            return
        self.order.remove(name)
        self.metrics.pop(name, None)
        self.artifacts = [one for one in self.artifacts if one["name"] != name]
        kept = [i for i, one in enumerate(self.results) if one["name"].partition("/")[0] != name]
        self.results = [self.results[i] for i in kept]
        self._blobs = [self._blobs[i] for i in kept]

    def write(self, path: str) -> None:
        """Write the file beside and rename it."""
        facts = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        header = json.dumps(facts).encode()
        with open(path + PARTIAL, "wb") as file:
            file.write(MAGIC + len(header).to_bytes(8, "little") + header)
            for blob in self._blobs:
                file.write(blob)
        os.replace(path + PARTIAL, path)


def read_outcome(path: str) -> Outcome | None:
    """Read an outcome back; its results get an ``offset`` each. None where the program left none."""
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        head = file.read(16)
        header = file.read(int.from_bytes(head[8:], "little"))
    outcome = Outcome()
    vars(outcome).update(json.loads(header))
    offset = 16 + len(header)
    for result in outcome.results:
        result["offset"] = offset
        offset += result["length"]
    return outcome
