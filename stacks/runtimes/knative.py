"""Knative: for models of its own, and below KServe for those that scale on concurrency."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from components.args import Fault, Words
from components.crds.knative_annotations import AHPA
from components.quantity import plain
from components.serving import KnativeModel, KnativeModelArgs, ModelArgs, ReserveType
from components.serving.knative_model import Metric, render

from ..arguments.base import required
from ..checks.rules import check, warning
from ..checks.views import served
from ..platforms import KNATIVE
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .runtime import Runtime


def model_args(environment: Environment, model: ModelSection, args: ModelArgs) -> KnativeModelArgs:
    """The Knative Service of a model."""
    return args.completed(
        partial(
            KnativeModelArgs,
            serve=required(model.serve.knative),
            max_request_seconds=environment.knative.max_request_seconds,
            domain=environment.knative.domain,
            service_annotations=(
                environment.gateway.knative_annotations
                if environment.gateway and environment.is_routed_by_knative(model)
                else None
            ),
        )
    )


# --- checks --------------------------------------------------------------------------------------


@check
def reserve_instances_are_offered(environment: Environment) -> Iterator[Fault]:
    """Reserve instances are a feature of ACK's Knative; ECI and ACS need a virtual node."""
    addons = environment.cluster.addon_names
    for path, _, knative in served(environment, lambda serve: serve.knative):
        reserve = knative.reserve
        if reserve is None:
            continue
        field = f"{path}.serve.knative.reserve"
        if environment.existing:
            want = "left out; scale.min of 1 keeps a replica instead"
            yield Fault(field, Words("given"), want, "only ACK's Knative has reserve instances")
        elif reserve.type is not ReserveType.ECS and "ack-virtual-node" not in addons:
            want = "'ecs', or ack-virtual-node added under cluster.addons"
            yield Fault(f"{field}.type", reserve.type, want, "ECI and ACS run on a virtual node")


@warning
def reserve_instances_answer(environment: Environment) -> Iterator[str]:
    """ACK, "Reserved instances", 2026-10: it stays once a service has no traffic and no replica."""
    for path, _, knative in served(environment, lambda serve: serve.knative):
        if knative.reserve is not None and knative.scale.min:
            yield (
                f"{path}.serve.knative.reserve is given, and scale.min is {knative.scale.min}: a "
                "reserve instance answers while there is no replica, and so many always stay. "
                "Leave it out, or give scale.min 0."
            )


@warning
def retention_is_of_models_that_go(environment: Environment) -> Iterator[str]:
    """It is about the last replica, which goes to none."""
    for path, _, knative in served(environment, lambda serve: serve.knative):
        scale = knative.scale
        if scale.zero_retention_seconds is not None and scale.min:
            yield (
                f"{path}.serve.knative.scale.zero_retention_seconds is "
                f"{scale.zero_retention_seconds}, and scale.min is {scale.min}: it is how long the "
                "last replica stays before there is none, and so many always stay. Leave it out, "
                "or give scale.min 0."
            )


@warning
def limits_part_the_pods(environment: Environment) -> Iterator[str]:
    """With a limit, each activator has pods of its own, and knows no other one.

    knative.dev/serving v0.50.0, pkg/activator/net/throttler.go, assignSlice. See
    findings/knative-activators-share-out-pods.sh.
    """
    for path, _, knative in served(environment, lambda serve: serve.knative):
        limit, scale = knative.concurrency_limit, knative.scale
        if limit is not None and scale.max > 1:
            target = plain(min(limit, scale.target or limit))
            instead = f", with scale.target {target}" if scale.metric is Metric.CONCURRENCY else ""
            yield (
                f"{path}.serve.knative.concurrency_limit is {limit}: with a limit, Knative's "
                "activators share out the replicas, where there are several of them, and a request "
                "may wait for a busy replica beside an idle one. Where the server queues by "
                f"itself, as vLLM does, leave it out{instead}."
            )


@check
def ahpa_is_there(environment: Environment) -> Iterator[Fault]:
    """A class of autoscaler that no controller answers to leaves a model without any."""
    for path, _, knative in served(environment, lambda serve: serve.knative):
        if knative.scale.ahpa is not None and not environment.ahpa:
            want = "true, once ACK's AHPA Controller is installed"
            why = f"{path}.serve.knative.scale.ahpa is given, and nobody else scales that class"
            yield Fault("ahpa", environment.ahpa, want, why)


@warning
def ahpa_is_taken(environment: Environment) -> Iterator[str]:
    """Upstream's webhook takes two classes of its own domain: kpa and hpa.

    knative.dev/serving v0.50.0, pkg/apis/autoscaling/annotation_validation.go, 2026-11.
    """
    for path, _, knative in served(environment, lambda serve: serve.knative):
        if knative.scale.ahpa is not None and environment.existing:
            yield (
                f"{path}.serve.knative.scale.ahpa is given, and only ACK's Knative takes its "
                f"class: the webhook of any other refuses {AHPA}."
            )


RUNTIME: Final = Runtime(
    args=model_args,
    component=KnativeModel,
    render=render,
    fields={
        "metadata.name": "name",
        "serve.traffic": "serve.knative.traffic",
        "traffic": "serve.knative.traffic",
        "template.metadata.annotations": "serve.knative.annotations",
        "spec.template.metadata.annotations": "serve.knative.annotations",
        "template.spec.containers[0].env": "server.env",
        "template.spec.containers[0].env_from": "server.secret_env",
        "template.spec.containers[0].volume_mounts": "server.mount_path",
        "template.spec.containers[0].ports": "server.port",
        "template.spec.containers[0].resources": "server.resources",
        "template.spec.image_pull_secrets": "server.image_pull_secrets",
    },
    needs=lambda _model: (KNATIVE,),
)
