"""Knative Serving: scales models on the requests they have in hand."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import MISSING, Args, Because, Fault, Input, Words, child_options, validated
from ..bindings import alicloud, kubernetes
from ..catalog.charts import (
    CHARTS,
    KNATIVE_SERVING_VERSION,
    KNATIVE_SERVING_WANTED,
    serving_release,
)
from ..crds.knative import KnativeServing, KnativeServingSpec
from ..crds.knative_annotations import DEFAULT_DOMAIN, SHIPPED
from ..hosts import DomainName, RegistryHost
from .releases import INSTALL_SECONDS, install

NAMESPACE = "knative-serving"
ServicesDomain = Annotated[DomainName, Because("services are hosts below it")]
"""Type of the domain of services."""
UnresolvedRegistry = Annotated[
    RegistryHost, Because("Knative compares it with the registry of each image")
]
"""Type of a registry whose tags Knative does not resolve."""
_OPERATOR = "https://knative.dev/docs/install/operator/configuring-serving-cr/"
_LOCAL_REGISTRIES = ("kind.local", "ko.local", "dev.local")
"""Registries that are skipped as Knative ships."""
_RESOLVED_AS = {"docker.io": "index.docker.io"}
"""What Knative compares in place of a host: knative.dev/serving v0.50.0,
pkg/reconciler/revision/resolve.go, asks go-containerregistry v0.20.3 for the registry of a tag,
which writes Docker Hub so."""
_SECURE_DEFAULTS = "secure-pod-defaults"
_FLAG_VALUES = ("enabled", "allowed", "disabled")
"""What a flag may be, in any case. Knative takes any other text for none and says nothing, so that
the flag is what it ships as: knative.dev/serving v0.50.0, pkg/apis/config/features.go."""
_SECURE_VALUES = ("enabled", "allowrootbounded", "disabled")
"""What the one flag with values of its own may be."""
_FEATURES = "https://knative.dev/docs/serving/configuration/feature-flags/"
_NO_SERVICE = 'selector:\n  ack-inference/unused: "true"\n'
"""Options of a domain that no service gets."""


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
    cluster_id: Input[str] | None = None
    """ID of the ACK cluster, for the add-on."""
    version: str | None = None
    """Version of the add-on, or Serving release. Default: ACK's choice, or a pinned release."""
    domain: ServicesDomain = DEFAULT_DOMAIN
    """Domain below which services are reached."""
    max_request_seconds: int = Field(default=SHIPPED.max_revision_timeout_seconds, ge=1)
    """Longest request that a service may allow, in seconds."""
    skip_tag_resolving: list[UnresolvedRegistry] | None = None
    """Hosts of registries, such as docker.io, whose tags Knative's controller does not resolve,
    since it cannot reach them. A pod then runs whatever the tag is when it starts."""
    ingress_class: str | None = None
    """Ingress class of services, with the add-on, e.g. that of the Gateway API. Default: ACK's."""
    image_pattern: str | None = None
    """Where a mirror has Knative's images, for the operator, with `${NAME}` for the container's
    name, e.g. `registry.example.com/knative/${NAME}:v1.23.0`."""

    gateway_annotations: dict[str, str] | None = None
    """Annotations of Kourier's Service, for the operator: whether its load balancer is private, and
    whom it lets in, as the cloud spells them. On ACK,
    `service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type: intranet`."""

    def _faults(self) -> Iterator[Fault]:
        for flag, value in self.features.items():
            values = _SECURE_VALUES if flag == _SECURE_DEFAULTS else _FLAG_VALUES
            if value.lower() not in values:
                why = "Knative takes any other text for none, and says nothing"
                yield Fault(
                    f"features[{flag}]", value, f"one of {', '.join(values)}", why, _FEATURES
                )
        if self.installer is KnativeInstaller.ADDON:
            yield from self._addon_faults()
        else:
            yield from self._operator_faults()

    def _addon_faults(self) -> Iterator[Fault]:
        if self.cluster_id is None:
            yield Fault("cluster_id", MISSING, "given", "the add-on belongs to a cluster of ACK")
        if self.image_pattern is not None:
            why = "ACK chooses the images of its add-on"
            yield Fault("image_pattern", self.image_pattern, "left out", why)
        if self.gateway_annotations is not None:
            why = "ACK makes the gateway of its add-on, and its Service"
            yield Fault("gateway_annotations", Words("given"), "left out", why)

    def _operator_faults(self) -> Iterator[Fault]:
        if serving_release(self.version or KNATIVE_SERVING_VERSION) is None:
            yield Fault(
                "version",
                self.version,
                KNATIVE_SERVING_WANTED,
                "the operator has no other",
                _OPERATOR,
            )
        name, _, tag = (self.image_pattern or "${NAME}:tag").rpartition("/")[2].partition(":")
        if "${NAME}" not in name or not tag:
            want = "a pattern such as registry.example.com/knative/${NAME}:v1.23.0"
            why = "the operator puts in the container's name and adds no tag"
            yield Fault("image_pattern", self.image_pattern, want, why, _OPERATOR)


class Knative(pulumi.ComponentResource):
    """Knative Serving with exactly the feature flags that the environment's models use."""

    domain: pulumi.Output[str]
    """Domain below which services are reached."""

    def __init__(
        self, name: str, args: KnativeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = KnativeArgs.of(args)
        serving = None
        if args.installer is KnativeInstaller.OPERATOR:
            serving = validated(f"Knative {name}", lambda: serving_spec(args))

        super().__init__("ack-inference:index:Knative", name, args.dump(), opts)

        if serving is None:
            self._declare_addon(name, args, opts)
        else:
            self._declare_operator(name, serving, opts)

        self.domain = pulumi.Output.from_input(args.domain)
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
        self, name: str, serving: KnativeServingSpec, opts: pulumi.ResourceOptions | None
    ) -> None:
        pinned, options = CHARTS["knative-operator"], child_options(self, opts)
        release = install(f"{name}-operator", pinned, None, None, options)
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace", metadata={"name": NAMESPACE}, opts=options
        )
        KnativeServing(
            f"{name}-serving",
            serving,
            ObjectMetaArgs(
                name="knative-serving",
                namespace=NAMESPACE,
                annotations={
                    "pulumi.com/waitFor": "condition=Ready",
                    "pulumi.com/timeoutSeconds": str(INSTALL_SECONDS),
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
    if domains := _domains(args):
        config["domain"] = domains
    seconds = args.max_request_seconds
    if seconds > SHIPPED.max_revision_timeout_seconds:
        config["defaults"] = {"max-revision-timeout-seconds": str(seconds)}
    if args.ingress_class is not None:
        config["network"] = {"ingress.class": args.ingress_class}
    # Else a model whose replicas all wait for nodes has neither its least number nor its delay of
    # scaling down: findings/knative-forgets-bounds-of-what-waits-for-nodes.sh.
    config["deployment"] = {"pod-is-always-schedulable": "true"}
    if args.skip_tag_resolving:
        skipped = [_RESOLVED_AS.get(host, host) for host in args.skip_tag_resolving]
        registries = ",".join(dict.fromkeys([*_LOCAL_REGISTRIES, *skipped]))
        config["deployment"]["registries-skipping-tag-resolving"] = registries
    return config


def _domains(args: KnativeArgs) -> dict[str, str]:
    domain = args.domain
    if args.installer is KnativeInstaller.OPERATOR:
        # Without a domain, Knative itself exposes services inside the cluster alone.
        return {domain: ""}
    if domain == DEFAULT_DOMAIN:
        return {}  # It is ACK's default too.
    # Of two domains for all services Knative takes the first by name, whosever it is.
    return {domain: "", DEFAULT_DOMAIN: _NO_SERVICE}


def serving_spec(args: KnativeArgs) -> KnativeServingSpec:
    """The KnativeServing of the operator: pinned, behind Kourier."""
    ingress = {"network": {"ingress-class": "kourier.ingress.networking.knative.dev"}}
    registry = {"default": args.image_pattern} if args.image_pattern else None
    notes = args.gateway_annotations
    services = [{"name": "kourier", "annotations": notes}] if notes else None
    return KnativeServingSpec.model_validate(
        {
            "version": args.version or KNATIVE_SERVING_VERSION,
            "ingress": {"kourier": {"enabled": True}},
            "config": {**ingress, **configuration(args)},
            "registry": registry,
            "services": services,
        }
    )
