"""Time to first token and load, measured by anyone on their own cluster."""
