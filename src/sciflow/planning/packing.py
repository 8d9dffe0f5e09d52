"""How many combinations an array index should run one after another, by how long they take."""

from __future__ import annotations

import math

from sciflow.model.options import Options
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources

SHORT, LONG_ENOUGH = 600.0, 3600.0  # seconds of an index: what is shorter is packed, until it takes so long
_WAVES = 2  # what is packed fills the nodes no more often: a few indices more would be another wave of their own
_UNTOLD = 32  # how many run at once where nobody knows how large the cluster is


def best_pack(each: float, count: float, at_once: int, most: int) -> int:
    """How many combinations an index should hold: until it takes long enough, or two waves of indices hold them all.

    Parameters
    ----------
    each
        Seconds that one takes.
    count
        How many of them there are.
    at_once
        How many indices the nodes can run at the same time.
    most
        How many the longest walltime allows.
    """
    in_two_waves = math.ceil(round(count / (_WAVES * max(1, at_once)), 9))  # count is a sum of times by one of them
    return max(1, min(int(LONG_ENOUGH // each) if each else int(count), in_two_waves, most))


def at_once(request: Resources, options: Options, profile: ClusterProfile) -> int:
    """How many indices with a request may run at the same time, as far as the profile tells."""
    names = (options.partition or profile.default_partition).split(",")
    known = [profile.partitions[name] for name in names if name in profile.partitions]
    nodes = sum((one.nodes or 0) * ((one.cpu_cores or 0) // max(1, request.all_cores)) for one in known)
    return min((one for one in (profile.limits.running_indices, nodes) if one), default=_UNTOLD)
