"""Reads flags of SGLang's server off its releases, into a table of the catalog."""
