"""Verbs on nouns: a workflow and a profile become a plan."""
