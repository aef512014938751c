"""What the plugin waits for: `pulumi.com/waitFor`, and by itself the end of a Job."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from .client import ApiClient, Manifest

WAIT_FOR: Final = "pulumi.com/waitFor"
TIMEOUT: Final = "pulumi.com/timeoutSeconds"
SKIP: Final = "pulumi.com/skipAwait"
PAUSE_SECONDS: Final = 0.1


def wait(client: ApiClient, manifest: Manifest) -> tuple[dict[str, Any], str | None]:
    """Waits for an object; returns it as it is then, and what it still lacks if time ran out."""
    annotations = manifest["metadata"].get("annotations") or {}
    conditions = _conditions(annotations.get(WAIT_FOR))
    until = time.monotonic() + int(annotations.get(TIMEOUT, "600"))
    while True:
        live = client.get(manifest) or dict(manifest)
        missing = [condition for condition in conditions if not is_met(live, condition)]
        if not missing:
            return live, None
        if time.monotonic() > until:
            name = manifest["metadata"]["name"]
            return live, f"{manifest['kind']} {name} did not reach {' and '.join(missing)} in time"
        time.sleep(PAUSE_SECONDS)


def is_skipped(manifest: Manifest) -> bool:
    """Whether nothing is waited for: not in an update, a refresh or a deletion."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    return bool(annotations.get(SKIP) == "true")


def unfinished(declared: Manifest, live: Manifest) -> str | None:
    """What a refresh finds wrong with a Job, whatever an update waits for; None with all others.

    pulumi-kubernetes v4.32.0, provider/pkg/await/await.go, Read, asks `skipAwait` alone; the kinds
    of workloads and Services, which it asks too, are not made by this project.
    """
    if (live["apiVersion"], live["kind"]) != ("batch/v1", "Job") or is_skipped(declared):
        return None
    return None if is_met(live, "condition=Complete") else f"{live['kind']} has not succeeded"


def is_met(live: Manifest, condition: str) -> bool:
    """Whether an object meets `condition=Type[=Status]` or `jsonpath={.path}[=value]`."""
    form, _, rest = condition.partition("=")
    if form == "condition":
        type_, _, status = rest.partition("=")
        conditions = (live.get("status") or {}).get("conditions") or []
        return any(
            entry["type"] == type_ and entry["status"] == (status or "True") for entry in conditions
        )
    path, _, value = rest.partition("=")
    actual: Any = live
    for part in path.strip("{}").strip(".").split("."):
        actual = actual.get(part) if isinstance(actual, Mapping) else None
    text = actual if isinstance(actual, str) else json.dumps(actual)
    return actual is not None and (not value or text == value)


def _conditions(annotation: str | None) -> list[str]:
    if annotation is None:
        return []
    if annotation.startswith("["):
        several: list[str] = json.loads(annotation)
        return several
    return [annotation]
