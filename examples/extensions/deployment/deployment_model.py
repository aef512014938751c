"""A model served by a plain Deployment behind a Service, scaled on what its GPUs report."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pulumi
from pydantic import Field

from ..args import Args, Fault, child_options, once, validated
from ..bindings import kubernetes
from ..crds.autoscaling import HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec
from ..crds.core import PodSpec
from .pod import STARTUP_SECONDS, ModelArgs, model_pod
from .waiting import metadata


class DeploymentMetric(StrEnum):
    """What a model is scaled on."""

    GPU_UTILIZATION = "gpu_utilization"
    """Share of time with any kernel at work, in percent."""
    SM_UTILIZATION = "DCGM_CUSTOM_PROCESS_SM_UTIL"
    """SM utilisation of ACK's GPU exporter, in percent."""


class DeploymentScale(Args):
    """Between which bounds, and on what, a model scales."""

    min: int = Field(default=1, ge=1)
    """Fewest replicas. An HPA cannot scale to 0, since no pod is left to measure."""
    max: int = Field(ge=1, le=1000)
    """Most replicas."""
    metric: DeploymentMetric
    """What it is scaled on."""
    target: int = Field(ge=1)
    """What one replica should have of it."""

    def _faults(self) -> Iterator[Fault]:
        if self.min > self.max:
            why = "the autoscaler needs an ordered range"
            yield Fault("min", self.min, f"at most max ({self.max})", why)


class DeploymentServe(Args):
    """How a Deployment serves a model."""

    scale: DeploymentScale
    """Between which bounds, and on what, it scales."""
    startup_seconds: int = Field(default=STARTUP_SECONDS, ge=60, le=86400)
    """Longest start, node and image included: probe and progress deadline."""
    request_seconds: int | None = Field(default=None, ge=1)
    """Longest request, for which `<model>_load` waits; a Service bounds none. Left out, 600."""
    annotations: dict[str, str] | None = None
    """Annotations of the pods."""


class DeploymentModelArgs(ModelArgs):
    """A model, its server, and how it scales."""

    serve: DeploymentServe
    """How a Deployment serves it."""


class DeploymentModel(pulumi.ComponentResource):
    """A Deployment, its Service and its HPA. Its replicas cost what their GPU nodes cost."""

    host: pulumi.Output[str]
    """Host name of the service inside the cluster."""

    def __init__(
        self, name: str, args: DeploymentModelArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = DeploymentModelArgs.of(args)
        deployment, scaler = validated(f"DeploymentModel {name}", lambda: render(name, args))
        # Unlike custom resources, these two are waited for unless it is told otherwise.
        patience = {"pulumi.com/timeoutSeconds": str(args.wait_seconds)}
        notes = patience if args.wait_seconds else {"pulumi.com/skipAwait": "true"}
        about = metadata(name, args.namespace, labels=args.labels, annotations=notes)

        super().__init__("ack-inference:index:DeploymentModel", name, args.dump(), opts)

        deployed = kubernetes.apps.v1.Deployment(
            f"{name}-deployment", metadata=about, spec=deployment, opts=child_options(self, opts)
        )
        kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=about,
            spec={
                "selector": args.labels,
                "ports": [{"port": 80, "target_port": args.server.port}],
            },
            opts=child_options(self, opts, depends_on=[deployed]),
        )
        HorizontalPodAutoscaler(
            f"{name}-autoscaler",
            scaler,
            metadata(name, args.namespace, labels=args.labels),
            child_options(self, opts, depends_on=[deployed]),
        )

        self.host = pulumi.Output.from_input(f"{name}.{args.namespace}.svc")
        self.register_outputs({"host": self.host})


@once
def render(name: str, args: DeploymentModelArgs) -> tuple[Any, HorizontalPodAutoscalerSpec]:
    """The body of the Deployment, and the HPA over it.

    Raises:
        ValidationError: Kubernetes takes no such objects.
    """
    return deployment_spec(args), autoscaler_spec(name, args.serve.scale)


def deployment_spec(args: DeploymentModelArgs) -> Any:
    """The body of the Deployment; the HPA alone says how many pods it has."""
    startup_seconds = args.serve.startup_seconds
    pod = model_pod(args, startup_seconds, container="server")
    return {
        "selector": {"matchLabels": args.labels},
        "progressDeadlineSeconds": startup_seconds,
        "template": {
            "metadata": {"labels": args.labels, "annotations": args.serve.annotations or {}},
            "spec": PodSpec.model_validate(pod).manifest(),
        },
    }


def autoscaler_spec(name: str, scale: DeploymentScale) -> HorizontalPodAutoscalerSpec:
    """The HPA over the Deployment."""
    target = {"type": "AverageValue", "average_value": str(scale.target)}
    pods = {"metric": {"name": scale.metric.value}, "target": target}
    return HorizontalPodAutoscalerSpec.model_validate(
        {
            "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": name},
            "min_replicas": scale.min,
            "max_replicas": scale.max,
            "metrics": [{"type": "Pods", "pods": pods}],
        }
    )
