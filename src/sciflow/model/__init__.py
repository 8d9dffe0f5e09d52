"""Nouns: values that validate themselves and do no I/O."""
