"""Custom resource definitions of the kinds that stacks use."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import yaml

from .. import binaries, modules
from . import structural
from .client import ApiClient, Manifest, UnknownKind

MANAGER: Final = "sandbox"
API_VERSION: Final = "apiextensions.k8s.io/v1"
SECONDS: Final = 30


class CustomKind(NamedTuple):
    """A custom resource, in a namespace unless its scope says otherwise."""

    version: str
    kind: str
    plural: str
    scope: str = "Namespaced"


def api_group(key: str) -> str:
    """The API group of a key of `KINDS`; what follows a slash tells apart who installs it."""
    return key.partition("/")[0]


def definition_name(key: str, kind: CustomKind) -> str:
    """Name of the definition of a kind, under a key of `KINDS`."""
    return f"{kind.plural}.{api_group(key)}"


KINDS: Final[Mapping[str, tuple[CustomKind, ...]]] = MappingProxyType(
    {
        "cert-manager.io": (CustomKind("v1", "Certificate", "certificates"),),
        "data.fluid.io": (
            CustomKind("v1alpha1", "Dataset", "datasets"),
            CustomKind("v1alpha1", "JindoRuntime", "jindoruntimes"),
            CustomKind("v1alpha1", "DataLoad", "dataloads"),
        ),
        "gateway.envoyproxy.io": (
            CustomKind("v1alpha1", "BackendTrafficPolicy", "backendtrafficpolicies"),
            CustomKind("v1alpha1", "ClientTrafficPolicy", "clienttrafficpolicies"),
            CustomKind("v1alpha1", "EnvoyExtensionPolicy", "envoyextensionpolicies"),
            CustomKind("v1alpha1", "EnvoyProxy", "envoyproxies"),
            CustomKind("v1alpha1", "SecurityPolicy", "securitypolicies"),
        ),
        "gateway.networking.k8s.io": (
            CustomKind("v1", "GatewayClass", "gatewayclasses", "Cluster"),
            CustomKind("v1", "Gateway", "gateways"),
            CustomKind("v1", "HTTPRoute", "httproutes"),
            CustomKind("v1beta1", "ReferenceGrant", "referencegrants"),
        ),
        "inference.networking.k8s.io": (CustomKind("v1", "InferencePool", "inferencepools"),),
        "inference.networking.x-k8s.io": (
            CustomKind("v1alpha2", "InferenceObjective", "inferenceobjectives"),
            CustomKind("v1alpha2", "InferencePool", "inferencepools"),
        ),
        "inferenceextension.alibabacloud.com": (
            CustomKind("v1alpha1", "ACKTrafficFilter", "acktrafficfilters"),
        ),
        "leaderworkerset.x-k8s.io": (CustomKind("v1", "LeaderWorkerSet", "leaderworkersets"),),
        "keda.sh": (CustomKind("v1alpha1", "ScaledObject", "scaledobjects"),),
        "monitoring.coreos.com": (
            CustomKind("v1", "PodMonitor", "podmonitors"),
            CustomKind("v1", "PrometheusRule", "prometheusrules"),
        ),
        "networking.internal.knative.dev": (
            CustomKind("v1alpha1", "ClusterDomainClaim", "clusterdomainclaims", "Cluster"),
        ),
        "operator.knative.dev": (CustomKind("v1beta1", "KnativeServing", "knativeservings"),),
        "scheduling.alibabacloud.com": (
            CustomKind("v1alpha1", "ResourcePolicy", "resourcepolicies"),
        ),
        "scheduling.sigs.k8s.io": (CustomKind("v1beta1", "ElasticQuotaTree", "elasticquotatrees"),),
        "serving.knative.dev": (
            CustomKind("v1", "Service", "services"),
            CustomKind("v1beta1", "DomainMapping", "domainmappings"),
        ),
        "serving.kserve.io": (
            CustomKind("v1beta1", "InferenceService", "inferenceservices"),
            CustomKind("v1alpha1", "ServingRuntime", "servingruntimes"),
        ),
        "serving.kserve.io/llmisvc": (
            CustomKind("v1alpha2", "LLMInferenceService", "llminferenceservices"),
        ),
        "workloads.x-k8s.io": (
            CustomKind("v1alpha2", "RoleBasedGroup", "rolebasedgroups"),
            CustomKind("v1alpha2", "RoleBasedGroupScalingAdapter", "rolebasedgroupscalingadapters"),
            CustomKind("v1alpha2", "CoordinatedPolicy", "coordinatedpolicies"),
        ),
    }
)

_INFERENCE: Final = "sigs.k8s.io/gateway-api-inference-extension"
UPSTREAM: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "data.fluid.io": ("github.com/fluid-cloudnative/fluid", "charts/fluid/fluid/crds"),
        "gateway.envoyproxy.io": (
            "github.com/envoyproxy/gateway",
            "charts/gateway-helm/charts/crds/crds/generated",
        ),
        "gateway.networking.k8s.io": ("sigs.k8s.io/gateway-api", "config/crd/standard"),
        "inference.networking.k8s.io": (_INFERENCE, "config/crd/bases"),
        "inference.networking.x-k8s.io": (_INFERENCE, "config/crd/bases"),
        "keda.sh": ("github.com/kedacore/keda/v2", "config/crd/bases"),
        "leaderworkerset.x-k8s.io": ("sigs.k8s.io/lws", "config/crd/bases"),
        "monitoring.coreos.com": (
            "github.com/prometheus-operator/prometheus-operator",
            "example/prometheus-operator-crd",
        ),
        "networking.internal.knative.dev": ("knative.dev/networking", "config"),
        "operator.knative.dev": ("knative.dev/operator", "config/crd/bases"),
        "serving.knative.dev": ("knative.dev/serving", "config/core/300-resources"),
        "serving.kserve.io": ("github.com/kserve/kserve", "config/crd/full"),
        "serving.kserve.io/llmisvc": ("github.com/kserve/kserve", "config/crd/full/llmisvc"),
    }
)
"""Go module of a group's project, and the folder of its definitions there: a group of `KINDS`."""
OLDER: Final = {"inferencepools.inference.networking.x-k8s.io": "charts-old"}
"""Kinds that a module has no more, and the folder of `sandbox/tools` that pins a release of it
which had."""


def upstream() -> Path:
    """A folder with upstream's definition of every kind whose module is known, made once.

    Raises:
        Unavailable: Go is not there, or a module cannot be had.
    """
    target = binaries.cache_folder() / f"crds-{_fingerprint()}"
    if not target.is_dir():
        definitions = [item for group in UPSTREAM for item in _definitions_of(group)]
        new = target.with_name(f"{target.name}.{time.time_ns()}")
        new.mkdir(parents=True)
        for definition in definitions:
            (new / f"{definition['metadata']['name']}.yaml").write_text(json.dumps(definition))
        try:
            new.replace(target)
        except OSError:  # Somebody else made it meanwhile.
            shutil.rmtree(new)
    return target


def _definitions_of(group: str) -> Iterator[dict[str, Any]]:
    """What upstream defines of a group; a kind that its module lacks raises LookupError."""
    module, path = UPSTREAM[group]
    for kind in KINDS[group]:
        name = definition_name(group, kind)
        folder = modules.folder(module, OLDER.get(name, modules.CHARTS)) / path
        texts = [file.read_text() for file in sorted(folder.glob("*.yaml"))]
        line = f"\n  name: {name}\n"
        [text] = [text for text in texts if line in text and "openAPIV3Schema" in text] or [""]
        if not text:
            raise LookupError(f"{module} {path} defines no {name}")
        yield yaml.load(text, yaml.CSafeLoader)


def _fingerprint() -> str:
    pins = [f"{module} {modules.version(module)} {path}" for module, path in UPSTREAM.values()]
    pins += [modules.version(_INFERENCE, tool) for tool in OLDER.values()]
    return hashlib.sha256(repr((sorted(pins), sorted(KINDS.items()))).encode()).hexdigest()[:12]


def install(client: ApiClient, group: str, folder: Path | None) -> None:
    """Installs the kinds of a group, and returns once they are served.

    Args:
        client: The cluster.
        group: A key of `KINDS`.
        folder: Where upstream's own definitions lie, one per file. A kind without one there gets
            a definition that is made of our types, or else one that accepts every field.
    """
    for kind in KINDS[group]:
        definition = _definition(folder, definition_name(group, kind)) if folder else None
        client.apply(definition or _open_definition(group, kind), MANAGER)
    for kind in KINDS[group]:
        _wait(client, f"{api_group(group)}/{kind.version}", kind.kind)


def uninstall(client: ApiClient, group: str) -> None:
    """Removes the kinds of a group, and every object of them."""
    for kind in KINDS[group]:
        client.remove(_named(definition_name(group, kind)))


def without_schema(manifests: Iterable[Manifest], folder: Path | None) -> list[str]:
    """Kinds among some objects whose fields the API server does not check."""
    used = {(manifest["apiVersion"], manifest["kind"]) for manifest in manifests}
    return [
        f"{kind.kind} ({group})"
        for group, kinds in KINDS.items()
        for kind in kinds
        if (f"{api_group(group)}/{kind.version}", kind.kind) in used
        and not (folder and _file(folder, definition_name(group, kind)).is_file())
        and kind.kind not in structural.SPECS
    ]


@cache
def _definition(folder: Path, name: str) -> dict[str, Any] | None:
    """A definition in a folder of them, of which the largest take half a second to read."""
    path = _file(folder, name)
    return yaml.load(path.read_text(), yaml.CSafeLoader) if path.is_file() else None


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.yaml"


def _open_definition(group: str, kind: CustomKind) -> dict[str, Any]:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    is_typed = kind.kind in structural.SPECS
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": structural.schema(kind.kind) if is_typed else anything},
        "subresources": structural.subresources(kind.kind) if is_typed else {"status": {}},
    }
    names = {"kind": kind.kind, "plural": kind.plural, "singular": kind.kind.lower()}
    definition = _named(definition_name(group, kind))
    group = api_group(group)
    if group.endswith(".k8s.io"):
        # The API server takes no definition in a group of Kubernetes' own without it.
        definition["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved"}
    return {
        **definition,
        "spec": {"group": group, "names": names, "scope": kind.scope, "versions": [version]},
    }


def _named(name: str) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
    }


def wait(client: ApiClient, definition: Manifest) -> None:
    """Returns once a definition that was applied is served, in each of its versions."""
    spec = definition["spec"]
    for version in spec["versions"]:
        if version["served"]:
            _wait(client, f"{spec['group']}/{version['name']}", spec["names"]["kind"])


def _wait(client: ApiClient, api_version: str, kind: str) -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            client.check_kind(api_version, kind)
            return
        except UnknownKind:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
