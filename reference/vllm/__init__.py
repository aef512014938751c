"""Reads releases of vLLM, and writes `components/catalog/vllm/releases.json`."""
