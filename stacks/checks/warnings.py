"""What works, but will surprise."""

from collections.abc import Iterator
from typing import Final

from components.catalog.gpus import GPUS
from components.quantity import gib

from ..environment import (
    EdgePool,
    Environment,
    Pool,
)
from .views import models, placed

OSS_READ_GIB_PER_SECOND: Final = 0.16
"""Rate at which a pod reads a model from OSS without a cache: article 000, 15 GB in 90 s."""
NODE_SCALE_OUT_SECONDS: Final = 170
"""From a pod that fits nowhere to a GPU node that is ready: 50 s measured, 120 s for drivers."""


def models_fill_their_cards(environment: Environment) -> Iterator[str]:
    """Weights that leave no room for the KV cache."""
    for path, model in models(environment):
        for pool in placed(environment, model.placement):
            gpu = GPUS.get(pool.gpu or "")
            if gpu is None or model.server.vllm is None:
                continue
            share = model.server.vllm.gpu_memory_utilization or 1
            room = gpu.memory_gib * max(1, model.server.gpus) * share
            size = float(gib(model.volume.size))
            if size >= room:
                yield (
                    f"{path}.volume.size is {model.volume.size}, and a replica on pool {pool.name} "
                    f"has {room:.1f} GiB of GPU memory for weights and KV cache together: it may "
                    "fail to load."
                )


def starts_take_their_time(environment: Environment) -> Iterator[str]:
    """A start that takes longer than it is allowed to is started over and over."""
    for path, model in models(environment):
        if model.cache is not None:
            continue
        elastic = any(
            isinstance(pool, Pool) and pool.autoscale
            for pool in placed(environment, model.placement)
        )
        load = float(gib(model.volume.size)) / OSS_READ_GIB_PER_SECOND
        need = round(load + (NODE_SCALE_OUT_SECONDS if elastic else 0))
        for kind, section in model.serve.sections.items():
            if not section.startup_seconds or section.startup_seconds >= need:
                continue
            yield (
                f"{path}.serve.{kind}.startup_seconds is {section.startup_seconds}, but without a "
                f"cache a start is estimated at {need} s ({model.volume.size} at "
                f"{OSS_READ_GIB_PER_SECOND} GiB/s"
                f"{', and a new node' if elastic else ''}): it may never finish."
            )


def machines_reach_the_stores(environment: Environment) -> Iterator[str]:
    """OSS' internal endpoint and NAS answer inside the VPC."""
    if environment.network is None or environment.network.dedicated_line:
        return
    for path, model in models(environment):
        edge = [p for p in placed(environment, model.placement) if isinstance(p, EdgePool)]
        if edge:
            yield (
                f"{path}.volume is read over the VPC's own network, and network.dedicated_line is "
                f"false: machines of {', '.join(pool.name for pool in edge)} read it only over a "
                "leased line or a VPN."
            )


def one_adapter_serves_external_metrics(environment: Environment) -> Iterator[str]:
    """Two owners of one API group undo each other."""
    if environment.keda and environment.gpu_metrics and not environment.existing:
        yield (
            "keda is true and gpu_metrics is given: ack-alibaba-cloud-metrics-adapter registers "
            "external.metrics.k8s.io as KEDA does, and the last one to be installed has it."
        )


def private_clusters_need_a_way_in(environment: Environment) -> Iterator[str]:
    """`up` talks to the API server."""
    if not environment.existing and environment.cluster.public_endpoint is None:
        yield (
            "The API server has a private address only: run `pulumi up` where it can be reached "
            "(a runner in the VPC, a VPN), or set cluster.public_endpoint.allowed_cidrs."
        )


def most_cards(environment: Environment, pool: Pool) -> int:
    """Cards that a pool has at its largest."""
    nodes = pool.autoscale.max if pool.autoscale else pool.size or 0
    cards = [environment.instances[name].gpus for name in pool.instance_types]
    return nodes * min(cards, default=0)
