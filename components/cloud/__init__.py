"""What Alibaba Cloud runs: network, cluster, nodes, identities and places for models."""

from ..lazy import members as _members

__all__, __getattr__, __dir__ = _members(__name__)
