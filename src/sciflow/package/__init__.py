"""Packages: what a stranger needs to check a run and to repeat it, and the checking and repeating."""
