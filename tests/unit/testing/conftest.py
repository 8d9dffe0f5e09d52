"""The fixtures that labs use; what they name in the `conftest.py` at the top is imported here."""

from sciflow.testing import fake_pbs, fake_slurm, virtual_clock

__all__ = ["fake_pbs", "fake_slurm", "virtual_clock"]
