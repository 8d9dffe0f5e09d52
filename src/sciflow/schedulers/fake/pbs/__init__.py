"""The virtual cluster as a PBS: its commands, with the output of the real ones."""
