"""Writes a stack file from the answers to some questions."""
