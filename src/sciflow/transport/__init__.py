"""Transports: where commands run and files go."""
