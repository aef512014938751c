"""Has Fluid's own controllers make the caches that this repository renders.

The caches of a stack, and of every accepted case, become a master, workers and a FUSE client, by
Fluid's own chart and the real Helm; kube-scheduler places the pods, and kwok runs them. In place of
the programs in a master's container `sandbox/tools/kubelet` answers, so this does not prove that a
file is ever cached, or read.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from plan.model import Plan
from sandbox.controllers import core
from sandbox.controllers.fluid import CONTROLLER
from sandbox.kubernetes import server
from sandbox.kubernetes.client import ApiClient, Manifest, namespace_manifest
from tests.stacks.environments import Raw

from . import plans
from .cluster import MANAGER, bind_claim, cluster, until
from .step import Row, Say, Step

API_VERSION: Final = "data.fluid.io/v1alpha1"
SECONDS: Final = 180
"""Longest until a cache is loaded."""
ALL_SECONDS: Final = 420
"""Longest until all caches of the accepted cases are."""
ELSEWHERE: Final = "elsewhere"
"""A node that no cache names, with room for all of them."""

Cache = Mapping[str, dict[str, Any]]
"""Dataset, JindoRuntime and DataLoad of a cache, by their kinds."""


def caches(of: Plan, namespace: str | None = None) -> list[Cache]:
    """The caches of a plan, with a word for what only a cloud can give.

    Args:
        of: The plan.
        namespace: Where they are put; left out, where the plan has them.
    """
    objects = [item for item in of.manifests() if item["apiVersion"] == API_VERSION]
    by_name: dict[str, dict[str, dict[str, Any]]] = {}
    for item in map(plans.without_unknown, objects):
        dataset = item["metadata"]["name"]
        if item["kind"] == "DataLoad":
            dataset = item["spec"]["dataset"]["name"]
            item["spec"]["dataset"]["namespace"] = namespace or item["metadata"]["namespace"]
        if namespace:
            item["metadata"]["namespace"] = namespace
        by_name.setdefault(dataset, {})[item["kind"]] = item
    return list(by_name.values())


def alike(cache: Cache) -> str:
    """The same text for caches that differ in names alone."""
    specs = {kind: item["spec"] for kind, item in sorted(cache.items())}
    text = json.dumps(specs, sort_keys=True).replace(cache["Dataset"]["metadata"]["name"], "")
    text = text.replace(json.dumps(cache["Dataset"]["metadata"]["namespace"]), '""')
    return re.sub(r'pvc://[^"/]*', "pvc://", text)


def cache_faults(client: ApiClient, cache: Cache) -> list[str]:
    """What Fluid did not make of a cache, or not as it says; none once it is loaded."""
    dataset, load = cache["Dataset"], cache.get("DataLoad")
    faults = []
    if (phase := _phase(client.get(dataset))) != "Bound":
        faults.append(f"the Dataset is {phase}, but it must be Bound")
    if load is not None and (phase := _phase(client.get(load))) != "Complete":
        faults.append(f"the DataLoad is {phase}, but it must be Complete")
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": dataset["metadata"]}
    if (phase := _phase(client.get(claim))) != "Bound":
        faults.append(f"the claim that readers mount is {phase}, but it must be Bound")
    return [*faults, *_worker_faults(client, cache)]


def _worker_faults(client: ApiClient, cache: Cache) -> Iterator[str]:
    """What the workers lost of what the Dataset and the JindoRuntime say."""
    dataset, runtime = cache["Dataset"], cache["JindoRuntime"]
    about = {**dataset["metadata"], "name": f"{dataset['metadata']['name']}-jindofs-worker"}
    workers = client.get({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": about})
    if workers is None:
        yield "there is no StatefulSet of workers"
        return
    replicas, pod = runtime["spec"]["replicas"], workers["spec"]["template"]["spec"]
    if workers["spec"]["replicas"] != replicas:
        yield f"it has {workers['spec']['replicas']} workers, but it must be {replicas}"
    if (ready := (workers.get("status") or {}).get("readyReplicas", 0)) != replicas:
        yield f"{ready} of {replicas} workers are ready"
    for toleration in dataset["spec"].get("tolerations", ()):
        if toleration not in pod.get("tolerations", ()):
            yield f"the workers lost the toleration {toleration}"
    amounts = runtime["spec"].get("worker", {}).get("resources", {}).get("requests", {})
    requests = pod["containers"][0].get("resources", {}).get("requests", {})
    for name, amount in amounts.items():
        if requests.get(name) != amount:
            yield f"the workers request {requests.get(name)} of {name}, but it must be {amount}"


def landing_faults(client: ApiClient, cache: Cache) -> list[str]:
    """Workers of a cache that are on a node without the labels of its pool."""
    name, namespace = (cache["Dataset"]["metadata"][key] for key in ("name", "namespace"))
    labels = {
        node["metadata"]["name"]: node["metadata"]["labels"]
        for node in client.list_objects("v1", "Node")
    }
    pool_labels = _labels(cache["Dataset"])
    return [
        f"{pod['metadata']['name']} is on {pod['spec'].get('nodeName')}, which lacks {pool_labels}"
        for pod in client.list_objects("v1", "Pod")
        if pod["metadata"]["namespace"] == namespace
        and pod["metadata"]["name"].startswith(f"{name}-jindofs-worker-")
        and not pool_labels.items() <= labels.get(pod["spec"].get("nodeName"), {}).items()
    ]


def run(say: Say) -> Iterator[Row]:
    """A row per cache of a stack, and one for those of the accepted cases.

    Raises:
        Skipped: Go is missing, or a program or chart cannot be had.
    """
    with cluster(say, (*core.CONTROL_PLANE, CONTROLLER)) as plane:
        client = plane.client
        _add_node(client, ELSEWHERE, {}, ())
        for where, of in plans.stacks():
            for cache in caches(of):
                yield _row(client, where, cache)
        yield _without_affinity(client)
        say("Planning the accepted caches; this takes minutes.")
        yield _all(client)


def _row(client: ApiClient, where: str, cache: Cache) -> Row:
    _make(client, cache)
    begun = time.monotonic()
    while (faults := cache_faults(client, cache)) and time.monotonic() - begun < SECONDS:
        time.sleep(0.5)
    faults = [*faults, *landing_faults(client, cache)]
    name, spec = cache["Dataset"]["metadata"]["name"], cache["JindoRuntime"]["spec"]
    figures = f"{spec['replicas']} workers on its pool alone; bound and loaded"
    return Row(f"{where}: {name}", figures, tuple(faults))


def _without_affinity(client: ApiClient) -> Row:
    """A cache of a stack whose Dataset names no nodes: its workers go where no cache has to be.

    The nodes of caches are cordoned meanwhile: among nodes that all suit, chance would choose.
    """
    _, of = next(stack for stack in plans.stacks() if caches(stack[1]))
    cache = caches(of, ELSEWHERE)[0]
    cache["Dataset"]["spec"].pop("nodeAffinity")
    _prepare(client, cache["Dataset"])
    with _cordoned(client):
        for item in cache.values():
            client.apply(item, MANAGER)
        return _astray_row(client)


@contextmanager
def _cordoned(client: ApiClient) -> Iterator[None]:
    """All nodes but `ELSEWHERE` take no pods until the context ends."""
    nodes = client.list_objects("v1", "Node")
    others = [node for node in nodes if node["metadata"]["name"] != ELSEWHERE]
    for node in others:
        client.merge(node, {"spec": {"unschedulable": True}}, MANAGER)
    yield
    for node in others:
        client.merge(node, {"spec": {"unschedulable": None}}, MANAGER)


def _astray_row(client: ApiClient) -> Row:
    """Whether a worker went elsewhere, as it has to."""

    def astray() -> list[str]:
        return [
            pod["metadata"]["name"]
            for pod in client.list_objects("v1", "Pod")
            if pod["metadata"]["namespace"] == ELSEWHERE
            and "-jindofs-worker-" in pod["metadata"]["name"]
            and pod["spec"].get("nodeName") == ELSEWHERE
        ]

    if until(lambda: bool(astray()), SECONDS) is None:
        faults = (f"no worker is on {ELSEWHERE}, but a cache must need its affinity",)
        return Row("a cache without its affinity", "", faults)
    return Row("a cache without its affinity", f"goes wrong: {astray()[0]} is on no cache pool")


def _all(client: ApiClient) -> Row:
    """The caches of every accepted case, all at once, each in a namespace of its own."""
    distinct: dict[str, tuple[str, Plan, int]] = {}
    for where, of in _sources():
        for index, cache in enumerate(caches(of)):
            distinct.setdefault(alike(cache), (where, of, index))
    made: list[tuple[str, Cache]] = []
    for number, (where, of, index) in enumerate(distinct.values()):
        cache = caches(of, f"case-{number}")[index]
        _make(client, cache)
        made.append((where, cache))
    begun, missing = time.monotonic(), made
    while missing and time.monotonic() - begun < ALL_SECONDS:
        missing = [entry for entry in missing if cache_faults(client, entry[1])]
        time.sleep(1)
    faults = [
        f"{where}: {fault}"
        for where, cache in made
        for fault in (*cache_faults(client, cache), *landing_faults(client, cache))
    ]
    figures = f"{len(made)} caches, all loaded after {time.monotonic() - begun:.0f} s"
    return Row("examples, pages and accepted cases", figures, tuple(faults))


def _sources() -> Iterator[tuple[str, Plan]]:
    yield from plans.examples()
    yield from plans.pages()
    yield from plans.cases(_cached)


def _cached(raw: Raw) -> object:
    stores = raw.get("stores", ())
    cached = [(m["cache"], m.get("volume")) for m in raw.get("models", ()) if m.get("cache")]
    return [cached, stores] if cached else None


def _make(client: ApiClient, cache: Cache) -> None:
    """Makes a cache, with the claim that it reads, and nodes of its pool.

    Workers are on the network of their node and take the same ports there, so each needs its own.
    """
    dataset = cache["Dataset"]
    namespace = dataset["metadata"]["namespace"]
    _prepare(client, dataset)
    labels, tolerations = _labels(dataset), dataset["spec"].get("tolerations", ())
    taints = [
        {"key": t["key"], "value": t.get("value", ""), "effect": t.get("effect", "NoSchedule")}
        for t in tolerations
        if "key" in t
    ]
    for number in range(cache["JindoRuntime"]["spec"]["replicas"]):
        name = f"cache-{namespace}-{dataset['metadata']['name']}-{number}"
        _add_node(client, name, labels, taints)
    for item in cache.values():
        client.apply(item, MANAGER)


def _prepare(client: ApiClient, dataset: Manifest) -> None:
    """Makes the namespace of a Dataset, and the claims that it reads."""
    namespace = dataset["metadata"]["namespace"]
    client.apply(namespace_manifest(namespace), MANAGER)
    for mount in dataset["spec"]["mounts"]:
        scheme, _, rest = mount["mountPoint"].partition("://")
        if scheme == "pvc":
            bind_claim(client, namespace, rest.partition("/")[0])


def _labels(dataset: Manifest) -> dict[str, str]:
    """Labels that a node needs for a Dataset: the first value of each requirement."""
    [term] = dataset["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    return {wish["key"]: wish["values"][0] for wish in term["matchExpressions"]}


def _add_node(
    client: ApiClient, name: str, labels: Mapping[str, str], taints: Sequence[Mapping[str, Any]]
) -> None:
    amounts = {"cpu": "96", "memory": "3000Gi", "pods": "100", "ephemeral-storage": "3000Gi"}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
        "spec": {"taints": [dict(taint) for taint in taints]},
    }
    status = {
        "capacity": amounts,
        "allocatable": amounts,
        "addresses": [{"type": server.KUBELET_ADDRESS, "address": "localhost"}],
    }
    client.apply({**node, "status": status}, MANAGER)


def _phase(manifest: Manifest | None) -> str:
    return str(((manifest or {}).get("status") or {}).get("phase") or "not there")


STEP: Final = Step("fluid", run, seconds=410)
