"""Verbs on runs: stage, drive, track, reuse, collect."""
