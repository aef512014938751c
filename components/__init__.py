"""Elastic LLM inference on Alibaba Cloud ACK, as typed Pulumi components.

The public face is in the rooms: `cloud` (what Alibaba Cloud runs), `platform` (what is installed
once per cluster), `serving` (what is declared per model), `crds` (typed custom resources).
"""
