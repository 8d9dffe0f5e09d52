"""Answers from the collected tables."""
