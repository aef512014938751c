"""Custom resources of the platform: a model of each body, and a resource class per kind."""

from ..lazy import members as _members

__all__, __getattr__, __dir__ = _members(__name__)
