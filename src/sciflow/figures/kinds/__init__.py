"""The kinds of figures, a module each, and which makes which."""
