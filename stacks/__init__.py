"""Environments: what a stack file says, whether it can work, and what it is made of."""

from .compose import Secrets, deploy
from .debugging import silence_sdk
from .environment import Environment, stack_schema
from .load import load

__all__ = ["Environment", "Secrets", "deploy", "load", "silence_sdk", "stack_schema"]
