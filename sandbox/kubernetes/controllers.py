"""Simulated controllers, in place of those that a stack waits for: they say that all is well.

Pulling images, loading models and scheduling pods is not part of the sandbox.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import requests

from . import crds, installs
from .client import ApiClient, Manifest, StatusError

SECONDS: Final = 0.5
"""Pause between two looks at whether anything changed."""

FLUID: Final = "data.fluid.io/v1alpha1"
KNATIVE: Final = "serving.knative.dev/v1"
KSERVE: Final = "serving.kserve.io/v1beta1"
LLM: Final = "serving.kserve.io/v1alpha2"
GROUPS: Final = "leaderworkerset.x-k8s.io/v1"
GATEWAY: Final = "gateway.networking.k8s.io/v1"
POOL: Final = "inference.networking.k8s.io/v1"
ROLES: Final = "workloads.x-k8s.io/v1alpha2"
OPERATOR: Final = "operator.knative.dev/v1beta1"

_READY: Final = {"conditions": [{"type": "Ready", "status": "True"}]}
_LOADED: Final = {"phase": "Complete", "conditions": [], "duration": "1s"}
_BOUND: Final = {"phase": "Bound", "conditions": []}


class ObjectStore(Protocol):
    """What a cluster stores."""

    def revision(self) -> int:
        """Number of its last change."""

    def objects(self) -> list[Manifest]:
        """Every object in it."""


StatusRule = Callable[[ApiClient, Manifest], Mapping[str, Any] | None]
"""The status that an object should have, or None while it has to wait."""


class SimulatedControllers:
    """Works on one cluster, beside everything else, until it is stopped."""

    def __init__(
        self,
        store: ObjectStore,
        client: ApiClient,
        bring: Callable[[installs.Install], None],
        real: Callable[[], frozenset[tuple[str, str]]] = frozenset,
    ) -> None:
        """Starts to work.

        Args:
            store: What the cluster stores. While the number of its last change stays the same
                there is nothing to do.
            client: Speaks to its API server.
            bring: Installs something there.
            real: apiVersion and kind of what real controllers take care of there by now.
        """
        self._store = store
        self._client = client
        self._bring = bring
        self._real = real
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns once the last round is over."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        seen = None
        while not self._stopped.wait(SECONDS):
            # The API server is away, or an object changed meanwhile: the next round will do.
            with contextlib.suppress(requests.RequestException, StatusError):
                if (revision := self._store.revision()) != seen:
                    self.round()
                    seen = revision

    def round(self) -> None:
        """Does once what there is to do."""
        real = self._real()
        stored = self._store.objects()
        for api_version, kind, status_of in _STATUS_RULES:
            if (api_version, kind) in real:
                continue
            for manifest in _of_kind(stored, api_version, kind):
                status = status_of(self._client, manifest)
                if status is not None and not _has(manifest.get("status") or {}, status):
                    self._client.merge(manifest, {"status": status}, crds.MANAGER, "status")
        for serving in _of_kind(stored, OPERATOR, "KnativeServing"):
            status = _ready(self._client, serving)
            if not _has(serving.get("status") or {}, status):
                self._serve(serving)
                self._client.merge(serving, {"status": status}, crds.MANAGER, "status")
        if ("v1", "Namespace") not in real:
            self._end_namespaces(stored)

    def _serve(self, serving: Manifest) -> None:
        """Installs Knative as its operator is told."""
        self._bring(installs.KNATIVE_CORE)
        installs.configure(
            self._client,
            installs.KNATIVE_CORE,
            serving["metadata"]["namespace"],
            serving["spec"].get("config", {}),
        )

    def _end_namespaces(self, stored: Sequence[Manifest]) -> None:
        for namespace in _of_kind(stored, "v1", "Namespace"):
            if "deletionTimestamp" in namespace["metadata"]:
                for manifest in created(self._store.objects()):
                    if manifest["metadata"].get("namespace") == namespace["metadata"]["name"]:
                        self._client.delete(manifest)
                self._client.finalize(namespace)


def created(stored: Iterable[Manifest]) -> list[Manifest]:
    """Those of the stored objects that somebody made."""
    return [
        manifest
        for manifest in stored
        if manifest["kind"] not in _PASSING and not _comes_by_itself(manifest)
    ]


def _of_kind(stored: Iterable[Manifest], api_version: str, kind: str) -> list[Manifest]:
    return [
        manifest
        for manifest in stored
        if (manifest["apiVersion"], manifest["kind"]) == (api_version, kind)
    ]


_PASSING: Final = frozenset(
    {
        "APIService",
        "CSINode",
        "CustomResourceDefinition",
        "EndpointSlice",
        "Endpoints",
        "Event",
        "IPAddress",
        "Lease",
        "Node",
        "RangeAllocation",
    }
)
"""Kinds that come and go by themselves, or belong to an installation, or have no address."""


def _comes_by_itself(manifest: Manifest) -> bool:
    """What a controller makes out of another object, or in each namespace."""
    about = manifest["metadata"]
    return "ownerReferences" in about or (manifest["kind"], about["name"]) in (
        ("ConfigMap", "kube-root-ca.crt"),
        ("ServiceAccount", "default"),
    )


def _bound(client: ApiClient, dataset: Manifest) -> Mapping[str, Any] | None:
    """Bound once there is a runtime of the same name."""
    runtime = {"apiVersion": FLUID, "kind": "JindoRuntime", "metadata": dataset["metadata"]}
    return _BOUND if client.get(runtime) else None


def _loaded(client: ApiClient, load: Manifest) -> Mapping[str, Any] | None:
    """Complete once its Dataset is bound."""
    about = load["spec"]["dataset"]
    dataset = client.get({"apiVersion": FLUID, "kind": "Dataset", "metadata": about})
    bound = dataset is not None and (dataset.get("status") or {}).get("phase") == "Bound"
    return _LOADED if bound else None


def _ready(client: ApiClient, manifest: Manifest) -> Mapping[str, Any]:
    generation = manifest["metadata"]["generation"]
    return {**_READY, "observedGeneration": generation}


def _available(client: ApiClient, groups: Manifest) -> Mapping[str, Any]:
    """All groups are there, and none is behind."""
    count = groups["spec"]["replicas"]
    leaders = f"leaderworkerset.sigs.k8s.io/name={groups['metadata']['name']}"
    return {
        "conditions": [
            {
                "type": "Available",
                "status": "True",
                "reason": "AllGroupsReady",
                "message": "All replicas are ready",
                "lastTransitionTime": groups["metadata"]["creationTimestamp"],
            }
        ],
        "hpaPodSelector": f"{leaders},leaderworkerset.sigs.k8s.io/worker-index=0",
        **dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas"), count),
    }


GATEWAY_CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"


def _conditions(manifest: Manifest, *types: str) -> list[dict[str, Any]]:
    """Conditions of the Gateway API that are all true."""
    about = manifest["metadata"]
    return [
        {
            "type": type_,
            "status": "True",
            "reason": type_,
            "message": "",
            "lastTransitionTime": about["creationTimestamp"],
            "observedGeneration": about["generation"],
        }
        for type_ in types
    ]


def _programmed(_: ApiClient, gateway: Manifest) -> Mapping[str, Any]:
    """Its proxies answer at an address."""
    return {
        "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}],
        "conditions": _conditions(gateway, "Accepted", "Programmed"),
    }


def _accepted(client: ApiClient, route: Manifest) -> Mapping[str, Any] | None:
    """Accepted by its Gateways once they are there, with what it refers to."""
    namespace = route["metadata"]["namespace"]
    parents = route["spec"]["parentRefs"]
    for parent in parents:
        about = {"name": parent["name"], "namespace": parent.get("namespace", namespace)}
        if client.get({"apiVersion": GATEWAY, "kind": "Gateway", "metadata": about}) is None:
            return None
    return {
        "parents": [
            {
                "parentRef": parent,
                "controllerName": GATEWAY_CONTROLLER,
                "conditions": _conditions(route, "Accepted", "ResolvedRefs"),
            }
            for parent in parents
        ]
    }


def _resolved(client: ApiClient, pool: Manifest) -> Mapping[str, Any] | None:
    """Of the Gateways whose routes lead to it."""
    about = pool["metadata"]
    named = {
        (parent["name"], parent.get("namespace", about["namespace"]))
        for route in client.list_objects(GATEWAY, "HTTPRoute")
        for parent in route["spec"]["parentRefs"]
        for rule in route["spec"]["rules"]
        for backend in rule["backendRefs"]
        if (backend.get("kind"), backend["name"]) == ("InferencePool", about["name"])
    }
    return {
        "parents": [
            {
                "parentRef": {"kind": "Gateway", "name": name, "namespace": namespace},
                "conditions": _conditions(pool, "Accepted", "ResolvedRefs"),
            }
            for name, namespace in sorted(named)
        ]
    }


_STATUS_RULES: Final[Sequence[tuple[str, str, StatusRule]]] = (
    (FLUID, "Dataset", _bound),
    (FLUID, "DataLoad", _loaded),
    (KNATIVE, "Service", _ready),
    (KSERVE, "InferenceService", _ready),
    (LLM, "LLMInferenceService", _ready),
    (GROUPS, "LeaderWorkerSet", _available),
    (GATEWAY, "Gateway", _programmed),
    (GATEWAY, "HTTPRoute", _accepted),
    (POOL, "InferencePool", _resolved),
    (ROLES, "RoleBasedGroup", _ready),
)


def _has(status: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    return {key: status.get(key) for key in fields} == fields
