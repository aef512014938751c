"""Nodes without machines: what a pool's nodes look like, how many there are, and who sees it."""
