"""Programs of others, run for real against what the project renders."""
