"""LeaderWorkerSets: models on several nodes."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from components.catalog.vllm import vllm_image
from components.crds.leader_worker_labels import SET_NAME, WORKER_INDEX
from components.serving import LeaderWorkerModel, LeaderWorkerModelArgs, ModelArgs
from components.serving.leader_worker_model import (
    RAY_DROPPED,
    backend_of,
    cluster_host,
    render,
    service_name,
)
from components.serving.pod_group import PORT, GroupBackend

from ..arguments.base import required
from ..arguments.namespaces import namespace_of
from ..checks.availability import zones_of
from ..checks.rules import warning
from ..checks.views import served
from ..platforms import LEADER_WORKER_SETS
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .runtime import Endpoints, Runtime

ZONE: Final = "topology.kubernetes.io/zone"
"""Label of nodes: their zone."""


def model_args(
    environment: Environment, model: ModelSection, args: ModelArgs
) -> LeaderWorkerModelArgs:
    """The LeaderWorkerSet of a model; a gang where there is ACK's scheduler, and one group."""
    serve = required(model.serve.leader_worker)
    if serve.gang is None:
        is_alone = serve.scale.max == 1 and not serve.max_surge
        serve = serve.model_copy(update={"gang": is_alone and not environment.existing})
    return args.completed(partial(LeaderWorkerModelArgs, serve=serve))


def endpoints(model: ModelSection) -> Endpoints:
    """The leaders: workers answer nobody."""
    labels = {SET_NAME: model.name, WORKER_INDEX: "0"}
    return Endpoints(labels, service_name(model.name), PORT)


def model_url(environment: Environment, model: ModelSection) -> str:
    """Address of the leaders' Service."""
    return f"http://{cluster_host(model.name, namespace_of(environment, model))}"


# --- checks --------------------------------------------------------------------------------------


@warning
def groups_stay_together(environment: Environment) -> Iterator[str]:
    """Pods are tried one by one: of a group, some may land on one pool and some on another."""
    for path, model, groups in served(environment, lambda serve: serve.leader_worker):
        if len(model.placement.pools) > 1 and not groups.exclusive_topology:
            yield (
                f"{path}.placement.pools are {', '.join(model.placement.pools)}: pods of one group "
                "may land on several of them, and the slowest card and network decide. One pool, "
                "or serve.leader_worker.exclusive_topology, keeps them together."
            )


@warning
def groups_have_a_zone_each(environment: Environment) -> Iterator[str]:
    """A group that has a zone for itself, where there are fewer zones than groups."""
    for path, model, groups in served(environment, lambda serve: serve.leader_worker):
        zones = zones_of(environment, model.placement)
        if zones and groups.exclusive_topology == ZONE and groups.scale.max > len(zones):
            yield (
                f"{path}.serve.leader_worker.scale.max is {groups.scale.max}, and each group has a "
                f"zone for itself by exclusive_topology, but its pools have nodes in "
                f"{', '.join(zones)}: further groups wait for good."
            )


@warning
def ray_is_in_the_image(environment: Environment) -> Iterator[str]:
    """Images of vLLM bring Ray no more."""
    for path, model, groups in served(environment, lambda serve: serve.leader_worker):
        image = vllm_image(model.server.image)
        if model.server.vllm is None or image is None:
            continue
        if backend_of(model.server, groups) is GroupBackend.RAY and image.version >= RAY_DROPPED:
            yield (
                f"{path}.serve.leader_worker.backend is ray, which vLLM {image.release} no longer "
                "installs: its image needs Ray added, or mp in its place."
            )


@warning
def updates_take_a_group_away(environment: Environment) -> Iterator[str]:
    """With one group and none beside it, an update is an outage."""
    for path, _, groups in served(environment, lambda serve: serve.leader_worker):
        if groups.scale.min == 1 and not groups.max_surge:
            yield (
                f"{path}.serve.leader_worker: with one group an update ends it before the new one "
                f"starts, and nobody answers until that is ready. max_surge 1 starts it first, on "
                f"{groups.nodes} more nodes, without gang."
            )


RUNTIME: Final = Runtime(
    args=model_args,
    component=LeaderWorkerModel,
    render=render,
    fields={
        "metadata.name": "name",
        "serve": "serve.leader_worker",
        "leader_worker_template.leader_template.metadata.annotations": (
            "serve.leader_worker.annotations"
        ),
        "leader_worker_template.leader_template.spec.containers[leader].env": "server.env",
        "leader_worker_template.leader_template.spec.containers[leader].volume_mounts": (
            "server.mount_path"
        ),
        "leader_worker_template.leader_template.spec.containers[leader].ports": "server.port",
    },
    needs=lambda _model: (LEADER_WORKER_SETS,),
    url=model_url,
    endpoints=endpoints,
)
