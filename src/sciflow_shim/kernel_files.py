"""Reads what the kernel tells in files: those of processes and of cgroups."""

from __future__ import annotations

import os


def read_file(path: str) -> bytes | None:
    """Read a file of the kernel; None where it is not there, not allowed, or its process has ended."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = b""
        while chunk := os.read(file, 65536):
            text += chunk
    except OSError:
        return None
    else:
        return text
    finally:
        os.close(file)


def read_pairs(text: bytes | None) -> dict[bytes, int]:
    """Read lines of a name and a number (`name: 1 kB`, `name 1`)."""
    words = (line.split() for line in (text or b"").splitlines())
    return {word[0].rstrip(b":"): int(word[1]) for word in words if len(word) > 1 and word[1].isdigit()}
