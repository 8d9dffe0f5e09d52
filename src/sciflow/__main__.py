"""`python -m sciflow` is the `sciflow` command."""

from sciflow.cli.main import main

main()
