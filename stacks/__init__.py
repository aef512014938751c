"""Environments: what a stack file says, whether it can work, and what it is made of."""

from .compose import Secrets, deploy
from .load import load
from .sdk import begin_registrations, silence_sdk, trace_from_frames
from .sections.environment import Environment, stack_schema

__all__ = [
    "Environment",
    "Secrets",
    "begin_registrations",
    "deploy",
    "load",
    "silence_sdk",
    "stack_schema",
    "trace_from_frames",
]
