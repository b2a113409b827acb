"""`python -m byline_cli` is the `byline` command."""

from byline_cli.main import main

main()
