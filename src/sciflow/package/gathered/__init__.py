"""What goes into a package, kind by kind."""
