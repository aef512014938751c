"""Sandboxes for tests: in memory where there is such a file system, on upstream's CRDs."""

import gc
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox import binaries
from sandbox.clusters import describe
from sandbox.engine import Outcome
from sandbox.guard import guarded
from sandbox.kubernetes.client import ApiClient
from sandbox.kubernetes.server import ApiServer
from sandbox.run import Edit, Sandbox
from tests.crd_schemas import CRDS
from tests.stacks.environments import ROOT, merged

Name = tuple[str, str]
"""Operation and name of a resource."""

missing: Final = binaries.why_unavailable()
needs_engine: Final = pytest.mark.skipif(missing is not None, reason=missing or "")

HELM_NAMESPACES: Final = frozenset(
    {
        "cert-manager",
        "envoy-gateway-system",
        "fluid-system",
        "knative-operator",
        "kserve",
        "kube-system",
        "lws-system",
        "rbgs-system",
        "monitoring",
    }
)
"""Namespaces that Helm makes for a release, and does not take away with it."""


@dataclass(frozen=True)
class Life:
    """A sandbox whose stack is up."""

    box: Sandbox
    previewed: Outcome
    """Its first preview."""
    came_up: Outcome
    """Its first update."""
    steps: list[str]
    """Each step of both, as it was told while they ran."""


@contextmanager
def sandbox_of(
    name: str, prepare: Callable[[Sandbox], object] = lambda _: None, root: Path = ROOT
) -> Iterator[Sandbox]:
    """A new sandbox of a stack, running; nothing of it is left afterwards.

    Args:
        name: Name of the stack.
        prepare: Called with the sandbox before it runs.
        root: Folder of its project. Default: this repository.
    """
    memory = "/dev/shm"  # noqa: S108  kept in memory, since every step is written
    where = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="ack-inference-", dir=where))
    with _collector_off(), guarded(folder):
        box = Sandbox(root, name, folder / "box", CRDS if CRDS.is_dir() else None)
        prepare(box)
        try:
            with box.running():
                yield box
        finally:
            box.remove()


@contextmanager
def _collector_off() -> Iterator[None]:
    """What the Automation API leaves behind is collected at the end, and at no other time.

    Its event loops run code when they are collected, and break whatever is parsed at that moment.
    """
    gc.disable()
    gc.freeze()  # What was there before is not looked through.
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        gc.enable()


def lend(server: ApiServer, box: Sandbox, cluster_id: str) -> None:
    """Has an API server answer for a cluster of a sandbox, which does not end it.

    For tests that store nothing in the cluster beside what every cluster has.
    """
    folder = box.folder / "clusters" / cluster_id
    shutil.copytree(server.folder / "certs", folder / "certs")
    lent = asdict(replace(server, folder=folder, processes=()))
    (folder / "server.json").write_text(json.dumps(lent, default=str))


def changing(**changes: Any) -> Edit:
    """Changes a configuration at paths, as `merged` does."""
    return lambda config: config.update(merged(config, changes))


def done(outcome: Outcome) -> set[Name]:
    """What an operation did, with the stack, providers and components left out."""
    assert not outcome.errors, "\n".join(outcome.errors)
    return {
        (step.op, step.name)
        for step in outcome.changes
        if not step.type.startswith(("pulumi:", "ack-inference:"))
    }


def recorded(box: Sandbox) -> list[dict[str, Any]]:
    """The resources of the state, those of providers and components left out."""
    return made_in(box.engine.export())


def stored(box: Sandbox) -> list[dict[str, Any]]:
    """The same with every secret encrypted, which spares a run of the engine."""
    return made_in(box.engine.stored())


def made_in(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    resources = state.get("resources") or []
    return [
        resource
        for resource in resources
        if resource["custom"] and not resource["type"].startswith("pulumi:")
    ]


def first(box: Sandbox, *kinds: str) -> dict[str, Any]:
    """The first object of one of these kinds, as the state has it."""
    return next(
        resource for resource in stored(box) if resource["type"].rpartition(":")[2] in kinds
    )


def name_of(resource: dict[str, Any]) -> str:
    """Name in the program."""
    return str(resource["urn"].rpartition("::")[2])


def object_of(resource: dict[str, Any]) -> dict[str, Any]:
    """What it is called in the cluster."""
    about = resource["outputs"]["metadata"]
    named = {key: about[key] for key in ("name", "namespace") if key in about}
    return {**{key: resource["outputs"][key] for key in ("apiVersion", "kind")}, "metadata": named}


def cluster_of(box: Sandbox) -> ApiClient:
    """Speaks to the only cluster."""
    [cluster] = box.clusters.names()
    return box.clusters.find(cluster).client


def assert_consistent(box: Sandbox) -> None:
    """What the state knows is what exists: nothing is lost, orphaned or there twice."""
    state = stored(box)
    clouds = [
        (resource["type"], resource["id"])
        for resource in state
        if resource["type"].startswith("alicloud:")
    ]
    existing = [(resource.type, resource.id) for resource in box.cloud.created()]
    assert Counter(clouds) == Counter(existing)
    objects = [resource for resource in state if resource["type"].startswith("kubernetes:")]
    ids = Counter((resource["type"], resource["id"]) for resource in objects)
    assert set(ids.values()) <= {1}, ids
    for cluster in box.clusters.names():
        assert unaccounted(box, cluster, objects) == []


def unprotect(box: Sandbox) -> None:
    """Lets go of what is protected, as an operator does before a destroy."""
    box.configure(changing(**{"cluster.deletion_protection": False}))
    assert not box.up().errors


def assert_destroyed(box: Sandbox) -> None:
    """Destroys a stack; nothing is left in the cloud and in the clusters."""
    outcome = box.destroy()
    assert not outcome.errors, outcome.errors
    assert box.cloud.created() == []
    assert stored(box) == []
    leftovers = {line.partition(" ")[2] for line in box.clusters.left_behind()}
    for cluster in box.clusters.names():
        leftovers |= set(box.clusters.leftovers(cluster))
    assert leftovers <= {f"Namespace {name}" for name in HELM_NAMESPACES}


def unaccounted(box: Sandbox, cluster: str, objects: list[dict[str, Any]]) -> list[str]:
    """Objects in a cluster that no resource, no installation and no release accounts for."""
    expected = {_described(resource) for resource in objects}
    manifests = box.clusters.created_objects(cluster)
    extra = [describe(manifest) for manifest in manifests if not _brought(manifest)]
    lost = sorted(expected - set(map(describe, manifests)))
    return [f"extra: {description}" for description in extra if description not in expected] + [
        f"lost: {description}" for description in lost
    ]


def _described(resource: dict[str, Any]) -> str:
    namespace, _, name = resource["id"].rpartition("/")
    kind = resource["type"].rpartition(":")[2]
    if kind == "Release":
        kind, name = "Secret", f"sh.helm.release.v1.{name}.v1"
    return " ".join(filter(None, [kind.removesuffix("Patch"), namespace, name]))


def _brought(manifest: Any) -> bool:
    """Made by an installation, not by the stack."""
    about = manifest["metadata"]
    if manifest["kind"] == "Namespace":
        return about["name"] in HELM_NAMESPACES | {"knative-serving"}
    return manifest["kind"] == "ConfigMap" and about.get("namespace") == "knative-serving"
