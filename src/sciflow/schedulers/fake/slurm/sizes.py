"""Sizes of memory as Slurm writes them."""

from __future__ import annotations

from sciflow.schedulers.fake.slurm.asked import GIB, MIB


def write_memory(size: int) -> str:
    """``1500M``, or ``2G`` where it is a whole number of these; 0 where nothing is asked for."""
    if not size:
        return "0"
    for letter, unit in (("T", GIB << 10), ("G", GIB)):
        if size >= unit and not size % unit:
            return f"{size // unit}{letter}"
    return f"{size // MIB}M"
