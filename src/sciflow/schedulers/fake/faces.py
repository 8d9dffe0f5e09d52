"""The faces that a virtual cluster can have, by name, and how a site of each is set up where nothing else is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sciflow.schedulers.fake.face import Face
from sciflow.schedulers.fake.pbs.face import PBS
from sciflow.schedulers.fake.pbs.site import pbs_rules
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.slurm.face import SLURM

FACES: Mapping[str, Face] = {"slurm": SLURM, "pbs": PBS}
RULES: Mapping[str, Callable[..., Rules]] = {"slurm": Rules, "pbs": pbs_rules}
