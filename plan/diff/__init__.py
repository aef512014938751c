"""What a change of program or stack file would do to a stack that stands, and how it is shown."""
