"""What autoscalers themselves decided on our traces, as `python -m proof.autoscalers` wrote it."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

PATH: Final = Path(__file__).parent / "decisions.json.gz"


def digest(request: Mapping[str, Any]) -> str:
    """Changes with what an autoscaler is asked."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:12]


def decided(kind: str, name: str, request: Mapping[str, Any]) -> Any:
    """What was decided on a trace.

    Args:
        kind: kpa, hpa or keda.
        name: Name of the trace.
        asked: What was asked.

    Raises:
        LookupError: Something else was asked then.
    """
    record = read()[kind]["traces"].get(name)
    if record is None or record["asked"] != digest(request):
        raise LookupError(f"{name} was not asked so: run python -m proof.autoscalers")
    return record["decided"]


@cache
def read() -> dict[str, Any]:
    """By kind: the version of the autoscaler, and what it decided on each trace."""
    with gzip.open(PATH, "rt") as file:
        content: dict[str, Any] = json.load(file)
    return content


def write(content: Mapping[str, Any]) -> None:
    """Keeps what was decided, to the same bytes each time."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    PATH.write_bytes(gzip.compress(text.encode(), mtime=0))
