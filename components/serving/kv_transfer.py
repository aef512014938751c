"""How servers of vLLM hand each other blocks of their KV caches."""

import json
from types import MappingProxyType
from typing import Any, Final

TRANSFER_FLAG: Final = "--kv-transfer-config"
SIDE_CHANNEL: Final = MappingProxyType(
    {
        "name": "VLLM_NIXL_SIDE_CHANNEL_HOST",
        "value_from": {"field_ref": {"field_path": "status.podIP"}},
    }
)
"""Variable with the address at which others fetch blocks by NIXL. Left out, it is localhost, which
no server on another node reaches."""


def connector(name: str, role: str = "kv_both") -> dict[str, Any]:
    """A connector of vLLM, and the part of a server in it."""
    return {"kv_connector": name, "kv_role": role}


def transfer_words(config: dict[str, Any]) -> list[str]:
    """Words of the command line for a connector."""
    return [TRANSFER_FLAG, json.dumps(config, separators=(",", ":"))]
