"""Random records, far larger and deeper than usual ones: h5py, our reader and the tools of HDF5 see what was written.

A hundred by default, each of which its seed makes again; 10,000 with the environment variable `SCIFLOW_MANY=1`.
"""

import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from property.record_comparison import MANY, check_read, seen, write_with_h5py
from sciflow_shim.record import Dataset, ExternalLink, Group, write_record
from sciflow_shim.record_reader import read_record, verify_seal

CASES, BATCH = (10_000, 100) if MANY else (100, 25)
TOOL_EVERY = 10  # of so many files, one is shown to the tools too
ORDERED = ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
DTYPES = ["|b1", "|i1", "|u1", "|S1", "|S13", *[order + name for order in "<>" for name in ORDERED]]
LETTERS = "abcXYZ019 _-.,;@'\"\\$%&äöüßéñ日本語🧪\u0301\u200d\n\t"


class Random(random.Random):
    """Makes random parts of a record."""

    def text(self, longest: int = 40) -> str:
        """A text in any script, sometimes empty, seldom very long."""
        text = "".join(self.choices(LETTERS, k=self.randrange(longest + 1)))
        return text * 5000 if self.random() < 0.001 else text

    def name(self) -> str:
        """A name of an attribute or member; mostly short, sometimes longer than 255 bytes."""
        while True:
            name = self.text(300 if self.random() < 0.05 else 12)[:300]
            if name not in ("", ".", ".."):
                return name

    def scalar(self) -> Any:
        """A value of an attribute."""
        kinds = [
            lambda: self.choice([True, False]),
            lambda: self.choice([0, 1, -1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, self.randrange(-(10**9), 10**9)]),
            lambda: self.choice(
                [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, 1e308, self.gauss(0, 9)]
            ),
            lambda: complex(self.gauss(0, 1), self.gauss(0, 1)),
            self.text,
        ]
        return self.choice(kinds)()

    def value(self) -> Any:
        """A value of an attribute, alone or in a list, or none."""
        draw = self.random()
        if draw < 0.05:
            return None
        if draw < 0.75:
            return self.scalar()
        count = self.choice([0, 1, 3, 17, 100]) if self.random() < 0.97 else 4000
        kinds = [
            lambda: self.text(9),
            lambda: self.gauss(0, 1),
            lambda: self.randrange(-(2**63), 2**63),
            lambda: self.random() < 0.5,
            lambda: complex(self.random(), -0.0),
        ]
        kind = self.choice(kinds)
        return [kind() for _ in range(count)]

    def attributes(self) -> dict[str, Any]:
        """Attributes, mostly a few, seldom some hundreds."""
        count = 400 if self.random() < 0.02 else self.randrange(6)
        return {self.name(): self.value() for _ in range(count)}

    def array(self) -> np.ndarray:
        """An array of any type, byte order, shape and order in memory."""
        dtype = np.dtype(self.choice(DTYPES))
        shape = [self.choice([0, 1, 2, 3, 5, 17]) for _ in range(self.randrange(5))]
        if self.random() < 0.05:
            shape = [self.choice([10_000, 200_000])]
        source = np.random.default_rng(self.randrange(2**32))
        count = int(np.prod(shape, dtype=int))
        raw = source.integers(0, 2 if dtype.kind == "b" else 256, count * dtype.itemsize, "u1")
        data = raw.view(dtype).reshape(shape)
        layouts = [
            lambda: data,
            lambda: np.asfortranarray(data),
            lambda: data.T,
            lambda: data[..., ::-1] if data.ndim else data,
            lambda: data[::2] if data.ndim else data,
            lambda: np.broadcast_to(data, (2, *data.shape)),
        ]
        return self.choice(layouts)()

    def dataset(self) -> Dataset:
        """An array, a text, a number or a list of texts."""
        draw = self.random()
        if draw < 0.7:
            data: Any = self.array()
        elif draw < 0.85:
            data = self.text()
        else:
            data = [self.text(9) for _ in range(self.randrange(1, 200))]
        return Dataset(data, attributes=self.attributes() if self.random() < 0.3 else {})

    def link(self) -> ExternalLink:
        """A link to some other file."""
        parts = [self.name() for _ in range(self.randrange(4))]
        return ExternalLink(self.name(), "/" + "/".join(name for name in parts if "/" not in name))

    def member(self, depth: int) -> Any:
        """A group, a dataset or a link."""
        draw = self.random()
        if draw < 0.15:
            return self.link()
        return self.group(depth + 1) if draw < 0.45 and depth < 5 else self.dataset()

    def group(self, depth: int = 0) -> Group:
        """A group with all that is in it."""
        draw = self.random()
        if depth == 0 and draw < 0.02:  # thousands of members
            members = {f"{number} {self.choice(LETTERS)}": Dataset(float(number)) for number in range(3000)}
            return Group(self.attributes(), {**members, "link": self.link()})
        if depth == 0 and draw < 0.04:  # a hundred groups, one in the other
            inner = Group(self.attributes(), {"last": self.dataset()})
            for _ in range(100):
                inner = Group({}, {self.name(): inner})
            return inner
        members = {self.name(): self.member(depth) for _ in range(self.randrange(7))}
        return Group(self.attributes(), members)


@pytest.mark.parametrize("start", range(0, CASES, BATCH))
def test_all_who_read_it_see_what_h5py_would_have_written(tmp_path: Path, start: int) -> None:
    """h5py sees the same in our file as in its own of any tree, our reader gives back the tree, no tool complains."""
    ours, theirs = tmp_path / "ours.h5", tmp_path / "theirs.h5"
    for seed in range(start, start + BATCH):
        tree = Random(seed).group()
        write_record(ours, tree)
        with h5py.File(theirs, "w", track_order=True, libver="latest") as file:
            write_with_h5py(file, tree)
        with h5py.File(ours) as left, h5py.File(theirs) as right:
            assert seen(left) == seen(right), f"seed {seed}"
        assert verify_seal(ours) == "sealed", f"seed {seed}"
        check_read(read_record(ours), tree)
        if seed % TOOL_EVERY == 0:
            check_tools(ours, seed)


def check_tools(path: Path, seed: int) -> None:
    """Let h5dump print all of a file, and h5stat count it; both exit with 0 and without a word of complaint."""
    for command in (["h5dump"], ["h5stat"]):
        if shutil.which(command[0]) is None:
            continue  # `tests/shim/test_record.py` is skipped then, and says why
        done = subprocess.run([*command, path], capture_output=True, check=False)
        assert (done.returncode, done.stderr.decode()) == (0, ""), f"seed {seed}: {command}"
