"""Small programs beside a gateway, which are asked about requests: one Deployment each."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pydantic import Field

from ..args import Args, Input, child_options
from ..bindings import kubernetes
from ..crds.formats import Amount, ImageReference

RELEASE: Final = "v1.5.0"
"""Release of the inference extension: sigs.k8s.io/gateway-api-inference-extension, 2026-08."""
IMAGES: Final = "registry.k8s.io/gateway-api-inference-extension"
"""Where it publishes its programs: its charts, values.yaml."""


class GatewayProgram(Args):
    """A program that a gateway asks, and its share of a node."""

    image: ImageReference | None = None
    """Its image, e.g. a mirror's. Default: upstream's, pinned; routers have none."""
    replicas: int = Field(default=1, ge=1)
    """How many run. Of several pickers one works, and another one takes over."""
    cpu: Amount = "500m"
    """CPU that each asks for."""
    memory: Amount = "1Gi"
    """Memory that each asks for, and may use: questions that wait are in it."""


class ProgramPod(Args):
    """What a program's pod is."""

    args: list[str]
    """Its arguments."""
    command: list[str] | None = None
    """Its command. Default: the image's."""
    ports: dict[str, int]
    """Its ports by name, those of its Service too; the first is the one that is asked."""
    health_port: int | None = None
    """Port of its gRPC health. Left out, it answers at /health of its first port."""
    rules: list[dict[str, Any]]
    """What it may do in its namespace."""

    def probe(self, kind: str) -> dict[str, Any]:
        """How it is asked; of several pickers all live, and the one that works is ready."""
        if self.health_port is not None:
            return {"grpc": {"port": self.health_port, "service": kind}, "periodSeconds": 5}
        port = next(iter(self.ports.values()))
        return {"httpGet": {"path": "/health", "port": port}, "periodSeconds": 5}


def declare_program(
    parent: pulumi.ComponentResource,
    name: str,
    called: str,
    namespace: Input[str],
    program: GatewayProgram,
    image: str,
    pod: ProgramPod,
    opts: pulumi.ResourceOptions | None,
) -> kubernetes.core.v1.Service:
    """Declares a program, its Service, and what it may read.

    Args:
        parent: The component.
        name: Pulumi name that the children begin with.
        called: Name of all of its objects.
        namespace: Their namespace.
        program: Its image and share of a node.
        image: Image where the program names none.
        pod: What its pod is.
        opts: Options of the component.
    """
    labels = {"app.kubernetes.io/name": called}
    about: Any = {"name": called, "namespace": namespace, "labels": labels}
    options = child_options(parent, opts)
    account = kubernetes.core.v1.ServiceAccount(f"{name}-account", metadata=about, opts=options)
    before: list[pulumi.Resource] = [account]
    if pod.rules:
        rules: Any = pod.rules
        kubernetes.rbac.v1.Role(f"{name}-role", metadata=about, rules=rules, opts=options)
        binding = kubernetes.rbac.v1.RoleBinding(
            f"{name}-binding",
            metadata=about,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": called},
            subjects=[{"kind": "ServiceAccount", "name": called, "namespace": namespace}],
            opts=options,
        )
        before.append(binding)
    after = child_options(parent, opts, depends_on=before)
    # It is ready once it knows a pod of its model, which may take as long as a GPU node.
    waiting: Any = {**about, "annotations": {"pulumi.com/skipAwait": "true"}}
    kubernetes.apps.v1.Deployment(
        f"{name}-deployment",
        metadata=waiting,
        spec=deployment_spec(called, labels, program, image, pod),
        opts=after,
    )
    ports: list[Any] = [{"name": port, "port": number} for port, number in pod.ports.items()]
    ports[0]["app_protocol"] = "http" if pod.health_port is None else "kubernetes.io/h2c"
    return kubernetes.core.v1.Service(
        f"{name}-service", metadata=waiting, spec={"selector": labels, "ports": ports}, opts=after
    )


def deployment_spec(
    called: str, labels: Mapping[str, str], program: GatewayProgram, image: str, pod: ProgramPod
) -> Any:
    """The Deployment of a program: an update ends the old pod first, since one alone decides."""
    paths = {"NAMESPACE": "metadata.namespace", "POD_NAME": "metadata.name"}
    variables = [
        {"name": variable, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for variable, path in paths.items()
    ]
    return {
        "replicas": program.replicas,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": dict(labels)},
        "template": {
            "metadata": {"labels": dict(labels)},
            "spec": {
                "serviceAccountName": called,
                "enableServiceLinks": False,
                "containers": [
                    {
                        "name": "program",
                        "image": program.image or image,
                        **({"command": pod.command} if pod.command else {}),
                        "args": pod.args,
                        "env": variables,
                        "ports": [
                            {"name": port, "containerPort": number}
                            for port, number in pod.ports.items()
                        ],
                        "readinessProbe": pod.probe("readiness"),
                        "livenessProbe": {**pod.probe("liveness"), "initialDelaySeconds": 10},
                        "resources": {
                            "requests": {"cpu": program.cpu, "memory": program.memory},
                            "limits": {"memory": program.memory},
                        },
                        "securityContext": {"allowPrivilegeEscalation": False},
                    }
                ],
            },
        },
    }
