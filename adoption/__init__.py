"""Describes a cluster that runs models by hand, as a stack file."""
