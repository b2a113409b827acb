"""The `byline` command: parsing and printing alone; what it does is in byline_node."""
