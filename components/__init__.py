"""Elastic LLM inference on Alibaba Cloud ACK, as typed Pulumi components.

Here are all components with their arguments, and `ResourcePolicy` with its spec. They live in
rooms: `cloud` (what Alibaba Cloud runs), `platform` (what is installed once per cluster), `serving`
(what is declared per model), and `crds` (custom resources, also of the other kinds).

A name is imported when it is first asked for, with those modules alone that it needs.
"""

from .lazy import members as _members

__all__, __getattr__, __dir__ = _members(__name__)
