"""The small program around the user's program, on the node: Python's standard library alone."""
