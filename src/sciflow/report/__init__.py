"""Reports: what a run has shown, in files for people."""
