"""Schedulers: who gives cores, memory and time to array indices."""
