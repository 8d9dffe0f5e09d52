"""The fixtures that labs use; what they read in `conftest.py` at the top is what is imported here."""

from sciflow.testing import fake_slurm, virtual_clock

__all__ = ["fake_slurm", "virtual_clock"]
