"""Tells by what a failed program said whether it ran out of the node's memory.

That of a GPU is another: asking for more of the node's would not help.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes its time
if TYPE_CHECKING:
    from collections.abc import Iterable

_TYPES = ("MemoryError", "_ArrayMemoryError")  # Python's, and NumPy's
_SAID = re.compile(
    r"""
    ^(?:[\w.]+\.)?(?:_Array)?MemoryError(?::|$)     # the last line of a traceback
    | \bstd::bad_alloc\W*$
    | \[Errno\ 12\]
    | \bcannot\ allocate\ memory\W*(?:\([^()]*\))?$ # what the C library calls it, behind who says so
    | \bDefaultCPUAllocator:                        # PyTorch, of the node's memory
    | (?:^|[:\]!]\ *|\bran\ )out\ of\ memory(?:\W*$|[!,;:(]|\ \()
    | \boom[-_]kill\ event                          # Slurm, of a step
    | \bvirtual\ memory\ exhausted\b | \binsufficient\ virtual\ memory\b | ^allocation\ would\ exceed\ memory\ limit
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OF_ANOTHER = re.compile(
    r"""
    cuda | cudnn | cublas | cupy | \bcu(?:Mem|Ctx|Launch) | nvml | nvrtc | \bnccl | \bgpus?\b | \bvram\b
    | \b(?:device|video)\ memory | \bhip | \brocm | \bxpu\b | \bmps\ backend | opencl | vulkan | \bcl_
    | resource_exhausted | XlaRuntimeError
    | OutOfMemoryError                               # PyTorch and CuPy have one, of the GPU
    | \bmlock | memlock | \bibv_ | \bshmget | \bsemget | \bmsgget  # limits that are set elsewhere
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OF_THE_SHELL = re.compile(r"\S*sh: line \d+: +\d+ ")  # how the last of its programs ended


def of_program(lines: Iterable[str]) -> str:
    """The first of some lines that is not the shell's, which says of its programs how they ended."""
    return next((line for line in lines if not _OF_THE_SHELL.match(line)), "")


def tells_of_memory(kind: str, message: str) -> bool:
    """Say whether an error means that the node's memory, or what was asked of it, was used up.

    Parameters
    ----------
    kind
        The exception's type; empty where only its last words are known.
    message
        What it says.
    """
    if kind in _TYPES:
        return True
    line = message.partition("\n")[0].strip()
    text = f"{kind}: {line}" if kind else line
    return bool(_SAID.search(text)) and not _OF_ANOTHER.search(text)
