"""Plans without an engine: what a first `pulumi up` of a stack creates."""
