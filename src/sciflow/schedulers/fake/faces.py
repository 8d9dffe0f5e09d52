"""The faces that a virtual cluster can have, by name."""

from __future__ import annotations

from collections.abc import Mapping

from sciflow.schedulers.fake.face import Face
from sciflow.schedulers.fake.slurm.face import SLURM

FACES: Mapping[str, Face] = {"slurm": SLURM}
