"""The nodes on which a plan is played."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import PlanError
from sciflow.model.options import Options
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB
from sciflow.simulation.machines import NodeKind, nodes_of, parse_nodes
from unit.simulation.conftest import array


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("16x64c", [NodeKind(16, 64)]),
        ("nodes=16x64c", [NodeKind(16, 64)]),
        ("2x8c,512M", [NodeKind(2, 8, 512 * 1024**2)]),
        ("4x64c, 256g, 4gpu", [NodeKind(4, 64, 256 * GIB, 4)]),
        ("1x1C,1GPU", [NodeKind(1, 1, 0, 1)]),
        ("nodes=4x64c,256g+2x32c,128g,4gpus", [NodeKind(4, 64, 256 * GIB), NodeKind(2, 32, 128 * GIB, 4)]),
    ],
)
def test_nodes_are_read_as_they_are_typed(text: str, kinds: list[NodeKind]) -> None:
    """Number, cores, and perhaps memory and GPUs, of one or several kinds."""
    assert list(parse_nodes(text)) == kinds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "`` in `` says no number of nodes and cores"),
        ("64c", "`64c` in `64c` says no number"),
        ("16x64", "`16x64` in `16x64` says no number"),
        ("16x64c+", "`` in `16x64c+` says no number"),
        ("0x64c", "`0x64c` in `0x64c` is no node at all"),
        ("2x64c,256", "`256` in `2x64c,256` is neither memory nor GPUs"),
        ("2x64c,fast", "`fast` in `2x64c,fast` is neither memory nor GPUs"),
        ("1x4c,8g,4g", "`4g` in `1x4c,8g,4g` says the memory for the second time"),
        ("1x4c,1gpu,1gpu", "says the GPUs for the second time"),
        ("1x99999c", "99,999 cores of a node are more than 4,096"),
        ("99999999999x64c", "99,999,999,999 nodes are more than the 20,000 that can be simulated"),
        ("20000x64c+1x8c", "20,001 nodes are more"),
        (4, "`4` says no nodes"),
        (None, "`None` says no nodes"),
    ],
)
def test_what_is_no_node_is_named(text: Any, told: str) -> None:
    """What cannot be read, where it stands, and how it is written."""
    with pytest.raises(PlanError) as caught:
        parse_nodes(text)
    assert told in caught.value.message
    assert "16x64c" in caught.value.hint


def test_no_memory_at_all_is_not_enough_memory() -> None:
    """Nothing said means enough; none said means a mistake."""
    with pytest.raises(PlanError, match="`0g` in `1x4c,0g` is no memory at all"):
        parse_nodes("1x4c,0g")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (NodeKind(16, 64), "16 nodes of 64 cores"),
        (NodeKind(1, 1, GIB, 1), "1 node of 1 core, 1 GB, 1 GPU"),
        (NodeKind(2, 8, 0, 4, "gpu"), "2 nodes of 8 cores, 4 GPUs in `gpu`"),
    ],
)
def test_nodes_are_said_in_words(kind: NodeKind, said: str) -> None:
    """One line, in the singular where there is one."""
    assert kind.describe() == said


def site(**said: Any) -> ClusterProfile:
    """Make a profile with two partitions that have nodes, and one of which nothing is known."""
    partitions = {
        "main": {"nodes": 4, "cpu_cores": 32, "memory_gb": 128, "default": True},
        "gpu": {"nodes": 2, "cpu_cores": 16, "gpus": 4},
        "odd": {"cpu_cores": 8},
    }
    return ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", "partitions": partitions, **said})


def test_the_nodes_of_a_profile_are_those_of_the_partitions_in_use() -> None:
    """The default partition where an array job names none; each has nodes of its own where there are several."""
    plain, gpu = array("a.0", 60), array("b.0", 60, options=Options(partition="gpu"))
    assert nodes_of(site(), [plain]) == (NodeKind(4, 32, 128 * GIB),)
    assert nodes_of(site(), [plain, gpu]) == (
        NodeKind(4, 32, 128 * GIB, partition="main"),
        NodeKind(2, 16, 0, 4, "gpu"),
    )


def test_a_profile_without_partitions_may_say_what_there_is_in_all() -> None:
    """Its capacity counts."""
    profile = site(partitions={}, capacity={"nodes": 3, "cpu_cores": 8})
    assert nodes_of(profile, [array("a.0", 60)]) == (NodeKind(3, 8),)


@pytest.mark.parametrize(
    ("options", "partitions", "told"),
    [
        (Options(partition="odd"), site().partitions, "partition `odd` of profile `site` does not say how many nodes"),
        (Options(), {}, "profile `site` does not say how many nodes there are"),
        (Options(), {"main": {"nodes": 2, "default": True}}, "does not say how many cores its nodes have"),
    ],
)
def test_what_a_profile_does_not_say_is_named(options: Options, partitions: Any, told: str) -> None:
    """Which number is missing, and how to say it here."""
    with pytest.raises(PlanError, match=told) as caught:
        nodes_of(site(partitions=partitions), [array("a.0", 60, options=options)])
    assert "--simulate nodes=16x64c" in caught.value.hint
