"""Environments: what a stack file says, whether it can work, and what it is made of."""

from .compose import deploy
from .environment import Environment, stack_schema
from .load import load

__all__ = ["Environment", "deploy", "load", "stack_schema"]
