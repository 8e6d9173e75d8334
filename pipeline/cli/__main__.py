"""`python -m pipeline.cli`: the same as `noctule`."""

from pipeline.cli.app import main

main()
