"""The virtual cluster as a Slurm: its commands, with the output of the real ones."""
