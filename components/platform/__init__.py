"""What is installed once per cluster."""

from ..lazy import members as _members

__all__, __getattr__, __dir__ = _members(__name__)
