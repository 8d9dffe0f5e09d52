"""How busy a cluster is."""

from __future__ import annotations

import json

from sciflow.model.load import Load, PartitionLoad


def test_a_load_survives_being_written() -> None:
    """What is not known stays so."""
    load = Load({"main": PartitionLoad(40, 3), "": PartitionLoad(8)}, "main")
    assert Load.from_document(json.loads(json.dumps(load.to_document()))) == load
