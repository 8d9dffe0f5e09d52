"""`pbsnodes`: what the server knows of its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.pbs.amounts import Wrong
from sciflow.schedulers.fake.pbs.forms import write_dsv, write_json, write_text
from sciflow.schedulers.fake.pbs.replies import no_server, split_options
from sciflow.schedulers.fake.pbs.site import of_node
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_USAGE = "Usage:\n\tpbsnodes [-a|-l|-H vnode] [-v] [-j] [-S] [-L] [-F format] [-D delim]\n"


def pbsnodes(cluster: VirtualCluster, call: Call) -> Answer:
    """List nodes: all of them (`-a`), those that are down (`-l`), or some by name."""
    try:
        options, names = split_options(call.argv[1:], "alvjSLHF:D:", "pbsnodes", _USAGE)
    except Wrong as wrong:
        return Answer(wrong.code, "", str(wrong))
    silent = no_server(cluster, "pbsnodes")
    if silent is not None:
        return silent
    if not options and not names:
        return Answer(1, "", _USAGE)
    nodes = cluster.nodes.values()
    unknown = [name for name in names if name not in cluster.nodes]
    if unknown:
        return Answer(1, "", "".join(f"Node: {name},  Error: Unknown node \n" for name in unknown))
    if "l" in options:
        down = (node.name for node in nodes if not node.is_up)
        return Answer(0, "".join(f"{name:<20} down\n" for name in down), "")
    found = {node.name: of_node(cluster, node) for node in nodes if not names or node.name in names}
    if options.get("F") == "json":
        return Answer(0, write_json(cluster, {"nodes": found}), "")
    if options.get("F") == "dsv":
        return Answer(0, write_dsv("nodes", found, options.get("D", "|")), "")
    return Answer(0, write_text("nodes", found, True).replace("Name: ", ""), "")
