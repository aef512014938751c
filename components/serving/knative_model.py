"""A model served by Knative, scaled on the requests it has in hand."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final

import pulumi
from pydantic import Field

from .. import crds
from ..args import (
    MISSING,
    Args,
    Because,
    Fault,
    Input,
    Refusal,
    Words,
    child_options,
    left_out_faults,
    once,
    repeated,
    validated,
)
from ..crds.knative_annotations import (
    AHPA,
    AUTOSCALING,
    CLUSTER_LOCAL,
    DEFAULT_DOMAIN,
    KPA,
    PROGRESS_DEADLINE,
    SHIPPED,
    VISIBILITY,
    ServingLimits,
    default_host,
)
from ..hosts import DomainName, derived_host_faults
from ..keys import snake
from ..names import ServiceName
from ..quantity import plain
from .autoscaler import range_faults
from .availability import declare_budget
from .engines import engine_faults
from .ingress import declare_mapping, knative_faults
from .pod import STARTUP_SECONDS, ModelArgs, model_pod, service_metadata
from .shutdown import knative_shutdown

SCALE_STRATEGY: Final = "autoscaling.alibabacloud.com/scaleStrategy"
"""Annotation that says what AHPA does; ack_use-ahpa-to-enable-predictive-scaling-in-knative-2."""
RESERVE = "knative.aliyun.com/reserve-instance"
"""Annotation that turns reserve instances on; the other ones begin with it."""
RESERVE_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/serverless-kubernetes/user-guide/reserved-instances"
)
"""Page of these annotations, read 2026-11."""
ECI_SPECS: Final = f"{RESERVE}-eci-use-specs"
"""Annotation with the sizes of ECI instances, best first."""
MOST_SPECS: Final = 5
"""Sizes that it may name: RESERVE_DOCS."""


class Metric(StrEnum):
    """What the Knative Pod Autoscaler counts."""

    CONCURRENCY = "concurrency"
    """Requests in hand per replica: right for requests that take seconds."""
    RPS = "rps"
    """Requests per second per replica."""
    RT = "rt"
    """Time of a request, in milliseconds, with `ahpa` alone."""


class ReserveType(StrEnum):
    """What a reserve instance runs on."""

    ECS = "ecs"
    """The cluster's nodes."""
    ECI = "eci"
    """Elastic Container Instances, through a virtual node."""
    ACS = "acs"
    """Container Compute Service, through a virtual node."""


class Ahpa(Args):
    """ACK's predictive autoscaler in place of Knative's: it has replicas before they are needed.

    It forecasts a day ahead, and wants 7 days of metrics before; the component AHPA Controller
    needs the ConfigMap kube-system/application-intelligence with prometheusUrl and token.
    https://www.alibabacloud.com/help/en/ack/product-overview/application-intelligence-controller
    """

    strategy: str | None = Field(default=None, min_length=1, examples=["observer"])
    """What it does with a forecast, as ACK documents it: `observer` looks, and changes nothing.
    Left out, ACK's default, which no page says that we could read."""

    def annotations(self) -> dict[str, str]:
        """Annotations beside the class."""
        return {SCALE_STRATEGY: self.strategy} if self.strategy else {}


class Scale(Args):
    """Between which bounds, and on what, a model scales."""

    min: int = Field(default=1, ge=0)
    """Fewest replicas. 0 scales to zero: the first request then waits for a whole start."""
    max: int = Field(ge=1, le=1000)
    """Most replicas."""
    metric: Metric = Metric.CONCURRENCY
    """What is counted."""
    target: float | None = Field(default=None, ge=0.01)
    """What one replica should have of it. With concurrency the smaller one of this and
    `concurrency_limit` counts. Default `concurrency_limit`, or else Knative's 100; with rps 200."""
    target_utilization_percent: int | None = Field(default=None, ge=1, le=100)
    """Share of the target to which a replica is filled. Knative's default is 70: of a target of 2
    a replica takes 1.4 before there is another one."""
    window_seconds: int | None = Field(default=None, ge=6, le=3600)
    """Time that the metric is averaged over. Knative's default is 60."""
    panic_window_percent: int | None = Field(default=None, ge=1, le=100)
    """Share of the window that bursts are seen in, rounded to whole seconds. Knative looks every 2
    s, so that 1 s misses every other second. Knative's default is 10: 6 s of 60."""
    panic_threshold_percent: int | None = Field(default=None, ge=110, le=1000)
    """Replicas that a burst must need to be answered at once, in percent of those that are ready.
    They are kept until it is over for window_seconds and 2 s: 62 s of 60. Replicas are whole, so
    with one of them all values up to 200 are the same. Knative's default is 200."""
    scale_down_delay_seconds: int | None = Field(default=None, ge=0, le=3600)
    """Time for which the most replicas of late are kept. It starts when the requests leave the
    window, less 2 s: with 300 a replica goes 60 + 298 = 358 s after its last request. Up to 2 do
    nothing. Knative's default is 0."""
    zero_retention_seconds: int | None = Field(default=None, ge=0, le=3600)
    """Time that the last replica stays idle. It starts after window_seconds and
    scale_down_delay_seconds without a request: with 600 the replica goes after 660 s. Knative's
    default is 0."""
    ahpa: Ahpa | None = None
    """Present: ACK's AHPA scales, and settings of windows, panic and delays are left out."""

    def _faults(self) -> Iterator[Fault]:
        yield from range_faults(self.min, self.max)
        if self.ahpa is None and self.metric is Metric.RT:
            why = "Knative's own autoscaler knows no time of requests"
            yield Fault("metric", self.metric, "concurrency or rps, or ahpa given", why)
        if self.ahpa is not None and self.target is None:
            yield Fault("target", MISSING, "given with ahpa", "Knative's default is not AHPA's")
        if self.ahpa is not None:
            why = "it is a setting of Knative's own autoscaler, which does not scale"
            yield from left_out_faults(self, _OF_KPA, "left out with ahpa", why)


_OF_KPA: Final = (
    "target_utilization_percent",
    "window_seconds",
    "panic_window_percent",
    "panic_threshold_percent",
    "scale_down_delay_seconds",
    "zero_retention_seconds",
)


class Reserve(Args):
    """A small instance that answers while a model has no replica: a feature of ACK's Knative."""

    type: ReserveType = ReserveType.ECS
    """What it runs on. With ecs, the cluster's nodes, without a virtual node."""
    replicas: int = Field(default=1, ge=1, le=1000)
    """How many there are."""
    annotations: dict[str, str] | None = None
    """Further annotations, e.g. for the size of the instance, as ACK documents them."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """How large an instance is, is told to ACK alone."""
        is_size = snake(key) in ("cpu", "memory", "resources", "use_specs")
        return f"an entry of annotations such as {ECI_SPECS}" if is_size else None

    def _faults(self) -> Iterator[Fault]:
        texts = self.annotations or {}
        fields = {RESERVE: "reserve", f"{RESERVE}-type": "type", f"{RESERVE}-replicas": "replicas"}
        for key, field in fields.items():
            if key in texts:
                want = f"left out, and {field} set"
                why = "sums, figures and rules go by the field, and ACK by the annotation"
                yield Fault(f"annotations[{key}]", texts[key], want, why)
        specs = texts.get(ECI_SPECS)
        if specs is not None and self.type is not ReserveType.ECI:
            why = f"type is {self.type.value}, and only Elastic Container Instances are of these"
            yield Fault(f"annotations[{ECI_SPECS}]", specs, "left out, or type eci", why)
        elif specs is not None and len(specs.split(",")) > MOST_SPECS:
            want = f"at most {MOST_SPECS} sizes, with commas between them"
            yield Fault(f"annotations[{ECI_SPECS}]", specs, want, "ACK takes no more", RESERVE_DOCS)


class TrafficShare(Args):
    """A share of a model's requests."""

    revision: ServiceName | None = None
    """Name of a revision that is there, e.g. qwen-00001, as `kubectl get revisions` lists it;
    either this or `latest`."""
    latest: bool = False
    """Whether it goes to the newest revision, once that is ready."""
    percent: int | None = Field(default=None, ge=0, le=100)
    """The share, 0 to 100. Left out of one entry, what the others leave."""
    tag: Annotated[ServiceName | None, Because("it becomes part of a host name")] = None
    """Reaches the revision under a host of its own too, with the tag and a dash before the
    model's."""

    def _faults(self) -> Iterator[Fault]:
        if (self.revision is None) != self.latest:
            got = MISSING if self.revision is None else self.revision
            want = "given, or latest true" if self.revision is None else "left out with latest true"
            yield Fault("revision", got, want, "a share goes to one revision")


class KnativeServe(Args):
    """How Knative serves a model."""

    scale: Scale
    """Between which bounds, and on what, it scales."""
    reserve: Reserve | None = None
    """Keeps a small instance while there is no replica."""
    startup_seconds: int = Field(default=STARTUP_SECONDS, ge=60, le=86400)
    """Longest start, node and image included: probe and progress deadline."""
    request_seconds: int = Field(default=600, ge=1)
    """Longest request. Sets both of Knative's time-outs. The default is Knative's highest."""
    concurrency_limit: int | None = Field(default=None, ge=1, le=1000)
    """Most requests that a replica is given at once; more wait. Left out, no limit. With metric
    concurrency it is the target, if it is less than `scale.target` or that is left out."""
    traffic: list[TrafficShare] | None = None
    """Who gets the requests: for a canary the revision before, and the newest with a percentage.
    Left out, all to the newest revision, once it is ready."""
    annotations: dict[str, str] | None = None
    """Further annotations of the pods' template."""

    def _faults(self) -> Iterator[Fault]:
        traffic = self.traffic
        if not traffic:
            return
        for revision in repeated(share.revision for share in traffic):
            got = Words("twice the newest") if revision is None else revision
            yield Fault("traffic", got, "each revision once", "a revision gets one share")
        open_shares = [share for share in traffic if share.percent is None]
        total = sum(share.percent or 0 for share in traffic)
        if len(open_shares) > 1:
            got = Words(f"without percent in {len(open_shares)} entries")
            yield Fault("traffic", got, "without it in one entry at the most", "one gets the rest")
        elif total > 100 or (total < 100 and not open_shares):
            got = Words(f"{total} % in sum")
            want = "100 % in sum, or without percent in one entry"
            yield Fault("traffic", got, want, "every request goes somewhere")

    def targets(self) -> list[dict[str, Any]] | None:
        """The shares as a Knative Service has them; None where all goes to the newest revision."""
        traffic = self.traffic or []
        rest = 100 - sum(share.percent or 0 for share in traffic)
        return [
            {
                "percent": rest if share.percent is None else share.percent,
                "revision_name": share.revision,
                "latest_revision": share.latest,
                "tag": share.tag,
            }
            for share in traffic
        ] or None


class KnativeModelArgs(ModelArgs):
    """A model, its server, and how it scales."""

    serve: KnativeServe
    """How Knative serves it."""
    max_request_seconds: int = SHIPPED.max_revision_timeout_seconds
    """Longest request that the cluster's Knative allows."""
    domain: Annotated[Input[DomainName], Because("the model is a host below it")] = DEFAULT_DOMAIN
    """Domain of the cluster's Knative, for the address."""
    service_annotations: dict[str, str] | None = None
    """Annotations of the Knative Service itself, by which ACK's gateway picks a pod for it."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        yield from self._resource_faults()
        yield from engine_faults(self.server)
        if self.ingress:
            yield from knative_faults(self.ingress)


class KnativeModel(pulumi.ComponentResource):
    """A Knative Service for one model. Its replicas cost what their GPU nodes cost."""

    host: pulumi.Output[str]
    """Host name of the service, for the Host header of a request."""
    url: pulumi.Output[str]
    """Address of the service inside the cluster."""

    def __init__(
        self, name: str, args: KnativeModelArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = KnativeModelArgs.of(args)
        service = validated(f"KnativeModel {name}", lambda: render(name, args))

        super().__init__("ack-inference:index:KnativeModel", name, args.dump(), opts)

        deployed = crds.KnativeService(
            f"{name}-service",
            service,
            service_metadata(name, args, labels=hidden(args), annotations=args.service_annotations),
            child_options(self, opts),
            serving_limits(args),
        )
        if args.ingress:
            declare_mapping(self, name, args.ingress, name, args.namespace, opts, deployed)
        # A budget of all revisions: their pods carry the same labels.
        options = child_options(self, opts)
        declare_budget(name, args.disruption_budget, args.namespace, args.labels, options)

        host = pulumi.Output.format("{0}.{1}.{2}", name, args.namespace, args.domain)
        self.host = pulumi.Output.from_input(args.ingress.host) if args.ingress else host
        self.url = pulumi.Output.format("http://{0}.{1}.svc.cluster.local", name, args.namespace)
        self.register_outputs({"host": self.host, "url": self.url})


@once
def render(name: str, args: KnativeModelArgs) -> "crds.KnativeServiceSpec":
    """The Knative Service of a model of a name.

    Raises:
        ValidationError: Knative takes no such Service.
        Refusal: It would refuse it, or could make no host of the name.
    """
    service = service_spec(args)
    from ..crds.knative import service_faults

    refused = service_faults(service, service_metadata(name, args), serving_limits(args))
    if faults := [*refused, *host_faults(name, args), *revision_faults(name, args.serve)]:
        raise Refusal(*faults)
    return service


def hidden(args: ModelArgs) -> dict[str, str] | None:
    """Label of a Knative Service that has no address of its runtime's outside the cluster."""
    return {VISIBILITY: CLUSTER_LOCAL} if args.ingress or args.cluster_local else None


def serving_limits(args: KnativeModelArgs) -> ServingLimits:
    """What the cluster's Knative allows."""
    return ServingLimits(max_revision_timeout_seconds=args.max_request_seconds)


def host_faults(name: str, args: KnativeModelArgs) -> Iterator[Fault]:
    """Refuses a name of which no host can be made, as far as namespace and domain are known."""
    if isinstance(args.namespace, str) and isinstance(args.domain, str):
        why = "Knative then gives it no route"
        host = default_host(name, args.namespace, args.domain)
        yield from derived_host_faults("metadata.name", name, host, why)
        for share in args.serve.traffic or []:
            if share.tag:
                tagged = f"{share.tag}-{host}"
                yield from derived_host_faults("serve.traffic", share.tag, tagged, why)


def revision_faults(name: str, serve: KnativeServe) -> Iterator[Fault]:
    """Refuses revisions of another model, whose Route then waits for them for ever."""
    for share in serve.traffic or []:
        if share.revision is not None and not share.revision.startswith(f"{name}-"):
            want = f"{name}-00001 or another one of it"
            why = "Knative calls revisions after a model"
            yield Fault("serve.traffic", share.revision, want, why)


def service_spec(args: KnativeModelArgs) -> "crds.KnativeServiceSpec":
    """The Knative Service of a model."""
    serve = args.serve
    shutdown = knative_shutdown(args.server, serve.request_seconds)
    pod = model_pod(args, serve.startup_seconds, shutdown=shutdown)
    return crds.KnativeServiceSpec.model_validate(
        {
            "template": {
                "metadata": {"labels": args.labels, "annotations": annotations(serve)},
                "spec": {
                    **pod,
                    "timeout_seconds": serve.request_seconds,
                    # Left at its default, a request without a first byte ends after 300 s.
                    "response_start_timeout_seconds": serve.request_seconds,
                    "container_concurrency": serve.concurrency_limit,
                },
            },
            "traffic": serve.targets(),
        }
    )


def annotations(serve: KnativeServe) -> dict[str, str]:
    """Annotations of the pods' template: autoscaler, progress deadline, reserve instance."""
    scale = serve.scale
    autoscaling = {
        "class": AHPA if scale.ahpa else KPA,
        "metric": scale.metric,
        "target": None if scale.target is None else plain(scale.target),
        "min-scale": scale.min,
        "max-scale": scale.max,
        "target-utilization-percentage": scale.target_utilization_percent,
        "window": _duration(scale.window_seconds),
        "panic-window-percentage": scale.panic_window_percent,
        "panic-threshold-percentage": scale.panic_threshold_percent,
        "scale-down-delay": _duration(scale.scale_down_delay_seconds),
        "scale-to-zero-pod-retention-period": _duration(scale.zero_retention_seconds),
    }
    result = {f"{AUTOSCALING}{k}": str(v) for k, v in autoscaling.items() if v is not None}
    # It starts anew with each replica that is ready, so it is the time of one start.
    result[PROGRESS_DEADLINE] = f"{serve.startup_seconds}s"
    predicted = scale.ahpa.annotations() if scale.ahpa else {}
    return {**result, **predicted, **_reserve(serve.reserve), **(serve.annotations or {})}


def _reserve(reserve: Reserve | None) -> dict[str, str]:
    if reserve is None:
        return {}
    return {
        RESERVE: "enable",
        f"{RESERVE}-type": str(reserve.type),
        f"{RESERVE}-replicas": str(reserve.replicas),
        **(reserve.annotations or {}),
    }


def _duration(seconds: int | None) -> str | None:
    return None if seconds is None else f"{seconds}s"
