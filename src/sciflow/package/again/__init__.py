"""A package is run again, and what comes of it is compared."""
