"""States of the stacks as they once were, without secrets: `python -m tests.sandbox.recording`."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from sandbox.cloud.cloud_file import Existing
from sandbox.run import Sandbox
from tests.stacks.environments import NAMES

from .boxes import sandbox_of

FOLDER: Final = Path(__file__).parent / "states"

ADDRESS: Final = "https://api-server.invalid"
"""In place of the address of the recorded cluster."""

_PASSING: Final = ("created", "modified", "sourcePosition", "stackTrace")
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  marks a secret in a state


def record(stack: str) -> None:
    """Brings a stack up, and keeps its state and its cloud; every secret is left out of both."""
    with sandbox_of(stack) as box:
        outcome = box.up()
        assert not outcome.errors, outcome.errors
        state = _mapped(dict(box.engine.export()), {_SIGNATURE: _SECRET})
        document = {
            "resources": list(map(_kept, state["resources"])),
            "manifest": state["manifest"],
        }
        cloud = [resource._asdict() for resource in box.cloud.resources()]
        [cluster] = box.clusters.names()
        text = json.dumps({"cloud": cloud, "state": document}, indent=1, ensure_ascii=False)
        text = text.replace(box.clusters.find(cluster).url, ADDRESS)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{stack}.json").write_text(f"{text}\n")


def clusters_of(stack: str) -> list[str]:
    """IDs of the clusters that a recorded stack has made."""
    cloud = json.loads((FOLDER / f"{stack}.json").read_text())["cloud"]
    return [resource["id"] for resource in cloud if resource["type"].endswith(":ManagedKubernetes")]


def play_back(box: Sandbox) -> None:
    """Puts a recorded state and its cloud into a new sandbox, with that sandbox's secrets."""
    text = (FOLDER / f"{box.stack}.json").read_text()
    for cluster_id in clusters_of(box.stack):
        box.clusters.start(cluster_id)
    [cluster] = box.clusters.names()
    server = box.clusters.find(cluster)
    recorded = json.loads(text.replace(ADDRESS, server.url))
    with box.cloud.changing() as resources:
        resources[:] = [Existing(**entry) for entry in recorded["cloud"]]
    box.engine.adopt(_mapped(recorded["state"], server.kubeconfig))


def _kept(resource: dict[str, Any]) -> dict[str, Any]:
    """Without times and places, and without what the API server alone adds to an object."""
    entry = {key: value for key, value in resource.items() if key not in _PASSING}
    if resource["type"].startswith("kubernetes:"):
        entry["outputs"] = resource["inputs"]
    return entry


def _mapped(value: Any, secret: Any) -> Any:
    """A state with something else in place of every secret."""
    if isinstance(value, list):
        return [_mapped(item, secret) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(_SIGNATURE) == _SECRET:
        return secret
    return {key: _mapped(item, secret) for key, item in value.items()}


if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        record(name)
