"""Whether a package is what was packed, holds what it promises, and has the code that ran."""
