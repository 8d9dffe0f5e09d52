"""Which combinations are best, how surely, and which to try next."""
