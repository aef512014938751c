"""Real controllers for a sandbox with nodes: what they install, and the processes that they are."""
