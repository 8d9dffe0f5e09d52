"""What a test says about its cluster, checked: nonsense would let it pass for nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sciflow.errors import SciflowError
from sciflow.schedulers.fake import values
from sciflow.schedulers.fake.nodes import Node, make_nodes
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.simulated import Course, Program, Sight


def checked_nodes(nodes: int | Sequence[Node], cores: int, memory_gb: float, gpus: int) -> list[Node]:
    """The nodes of a cluster: so many that are alike, or those that are given.

    Raises
    ------
    SciflowError
        For what no node is like, and where there are none.
    """
    if isinstance(nodes, Sequence) and not isinstance(nodes, str):
        if not nodes or not all(isinstance(one, Node) for one in nodes):
            raise SciflowError(
                f"`nodes` is {nodes!r}", hint='give how many, or a list such as `[Node("n1", 4, 8 * 2**30)]`'
            )
        for one in nodes:
            values.whole(f"cores of {one.name}", one.cores, 1)
            values.whole(f"memory of {one.name}", one.memory, 1)
            values.whole(f"gpus of {one.name}", one.gpus)
        return list(nodes)
    count = values.whole("nodes", nodes, 1)
    values.whole("cores", cores, 1)
    values.number("memory_gb", memory_gb, is_zero=False, most=values.MOST_GIB)
    values.whole("gpus", gpus)
    return make_nodes(count, cores, memory_gb, gpus)


def checked_partitions(partitions: Sequence[Partition], nodes: Sequence[Node]) -> tuple[Partition, ...]:
    """The partitions of a cluster.

    Raises
    ------
    SciflowError
        For what is none, and for nodes that there are not.
    """
    for one in partitions:
        if not isinstance(one, Partition):
            raise SciflowError(f"`partitions` holds {one!r}", hint='give a list such as `[Partition("main")]`')
        values.number(f"longest of {one.name}", one.longest, is_zero=False)
        for name in one.nodes:
            values.one_of(f"nodes of {one.name}", name, [node.name for node in nodes])
    return tuple(partitions)


def checked_program(program: Program) -> Program:
    """A function whose courses are looked at before anything goes by them.

    Raises
    ------
    SciflowError
        Where it is no function.
    """
    if not callable(program):
        raise SciflowError(f"{program!r} is no function", hint="such as `lambda sight: Course(seconds=60)`")

    def course_of(sight: Sight) -> Course:
        course = program(sight)
        if not isinstance(course, Course):
            raise SciflowError(f"the function that `pretend` was given gives {course!r}", hint="let it give a `Course`")
        values.number("seconds of a `Course`", course.seconds)
        values.number("checkpoint_every of a `Course`", course.checkpoint_every)
        values.whole("signal of a `Course`", course.signal)
        values.number("memory of a `Course`", course.memory)
        return course

    return course_of
