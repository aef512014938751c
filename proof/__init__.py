"""Proves with others' programs what tests hold against tables: `make proof`, not `make test`."""
