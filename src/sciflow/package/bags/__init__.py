"""Packages as bags and archives: written so that the same is the same, opened so that nothing reaches out."""
