"""Knative Serving: scales models on the requests they have in hand."""

from collections.abc import Iterator
from enum import StrEnum

import pulumi
import pulumi_alicloud as alicloud
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import MISSING, Args, Fault, Output, T, child_options  # noqa: F401
from ..catalog.charts import CHARTS, KNATIVE_SERVING_VERSION
from ..crds.knative import KnativeServing, KnativeServingSpec

NAMESPACE = "knative-serving"
DEFAULT_DOMAIN = "example.com"
DEFAULT_MAX_REQUEST_SECONDS = 600
OPERATOR_TIMEOUT_SECONDS = 900


class KnativeInstaller(StrEnum):
    """What installs Knative Serving."""

    ADDON = "addon"
    """ACK's add-on, whose control plane ACK runs."""
    OPERATOR = "operator"
    """The Knative operator, with Kourier as its ingress."""


class KnativeArgs(Args):
    """What Knative Serving is installed with."""

    installer: KnativeInstaller
    """What installs it. Never both in one cluster."""
    features: dict[str, str]
    """Flags of the ConfigMap config-features that the environment's models need."""
    cluster_id: pulumi.Input[str] | None = None
    """ID of the ACK cluster, for the add-on."""
    version: str | None = None
    """Version of the add-on, or Serving release. Default: ACK's choice, or a pinned release."""
    domain: str | None = DEFAULT_DOMAIN
    """Domain below which services are reached."""
    max_request_seconds: int | None = Field(default=DEFAULT_MAX_REQUEST_SECONDS, ge=1)
    """Longest request that a service may allow, in seconds. Default 600."""
    image_registry: str | None = None
    """Registry that has Knative's images, for the operator, e.g. a mirror."""

    def _faults(self) -> Iterator[Fault]:
        if self.installer is KnativeInstaller.ADDON and self.cluster_id is None:
            yield Fault("cluster_id", MISSING, "given", "the add-on belongs to a cluster of ACK")


class Knative(pulumi.ComponentResource):
    """Knative Serving with exactly the feature flags that the environment's models use."""

    domain: pulumi.Output[str]
    """Domain below which services are reached."""

    def __init__(
        self, name: str, args: KnativeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = KnativeArgs.of(args)

        super().__init__("ack-inference:index:Knative", name, args.dump(), opts)

        if args.installer is KnativeInstaller.ADDON:
            self._declare_addon(name, args, opts)
        else:
            self._declare_operator(name, args, opts)

        self.domain = pulumi.Output.from_input(args.domain or DEFAULT_DOMAIN)
        self.register_outputs({"domain": self.domain})

    def _declare_addon(
        self, name: str, args: KnativeArgs, opts: pulumi.ResourceOptions | None
    ) -> None:
        addon = alicloud.cs.KubernetesAddon(
            f"{name}-addon",
            cluster_id=args.cluster_id,
            name="knative",
            version=args.version,
            opts=child_options(self, opts),
        )
        for config_map, data in configuration(args).items():
            kubernetes.core.v1.ConfigMapPatch(
                f"{name}-config-{config_map}",
                metadata={
                    "name": f"config-{config_map}",
                    "namespace": NAMESPACE,
                    # The add-on owns the ConfigMap; these keys are ours.
                    "annotations": {"pulumi.com/patchForce": "true"},
                },
                data=data,
                opts=child_options(self, opts, depends_on=[addon]),
            )

    def _declare_operator(
        self, name: str, args: KnativeArgs, opts: pulumi.ResourceOptions | None
    ) -> None:
        chart = CHARTS["knative-operator"]
        release = kubernetes.helm.v3.Release(
            f"{name}-operator",
            # A generated name could not adopt what an earlier installation left behind.
            name=chart.chart,
            namespace=chart.namespace,
            create_namespace=True,
            chart=chart.chart,
            version=chart.version,
            repository_opts={"repo": chart.repository},
            timeout=OPERATOR_TIMEOUT_SECONDS,
            atomic=True,
            opts=child_options(self, opts),
        )
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace", metadata={"name": NAMESPACE}, opts=child_options(self, opts)
        )
        KnativeServing(
            f"{name}-serving",
            serving_spec(args),
            ObjectMetaArgs(
                name="knative-serving",
                namespace=NAMESPACE,
                annotations={
                    "pulumi.com/waitFor": "condition=Ready",
                    "pulumi.com/timeoutSeconds": str(OPERATOR_TIMEOUT_SECONDS),
                },
            ),
            # Deleted before the operator, which serves its finalizer.
            child_options(self, opts, depends_on=[release, namespace]),
        )


def configuration(args: KnativeArgs) -> dict[str, dict[str, str]]:
    """What differs from Knative's own configuration, by ConfigMap without its `config-`."""
    config: dict[str, dict[str, str]] = {}
    if args.features:
        config["features"] = dict(sorted(args.features.items()))
    if args.domain not in (None, DEFAULT_DOMAIN):
        config["domain"] = {args.domain: ""}
    seconds = args.max_request_seconds or DEFAULT_MAX_REQUEST_SECONDS
    if seconds > DEFAULT_MAX_REQUEST_SECONDS:
        config["defaults"] = {"max-revision-timeout-seconds": str(seconds)}
    return config


def serving_spec(args: KnativeArgs) -> KnativeServingSpec:
    """The KnativeServing of the operator: pinned, behind Kourier."""
    ingress = {"network": {"ingress-class": "kourier.ingress.networking.knative.dev"}}
    registry = {"default": f"{args.image_registry}/${{NAME}}"} if args.image_registry else None
    return KnativeServingSpec.model_validate(
        {
            "version": args.version or KNATIVE_SERVING_VERSION,
            "ingress": {"kourier": {"enabled": True}},
            "config": {**ingress, **configuration(args)},
            "registry": registry,
        }
    )
