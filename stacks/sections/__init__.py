"""The model of a stack file: one module per part, each section with a name of its own."""
